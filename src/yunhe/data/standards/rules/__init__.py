"""The pure part of standards: rules out of elements, matching of columns, stored shapes."""

from __future__ import annotations

from yunhe.data.standards.rules.bodies import (
    code_set_from_body,
    code_set_to_body,
    element_from_body,
    element_to_body,
    typed_argument,
)
from yunhe.data.standards.rules.generate import accepted_values, code_set_key, notation_rules, rules_of
from yunhe.data.standards.rules.matching import Evidence, rank_elements
from yunhe.data.standards.rules.values import problem_of

__all__ = [
    "Evidence",
    "accepted_values",
    "code_set_from_body",
    "code_set_key",
    "code_set_to_body",
    "element_from_body",
    "element_to_body",
    "notation_rules",
    "problem_of",
    "rank_elements",
    "rules_of",
    "typed_argument",
]
