"""Quality rules over a table: compiled once, counted in one pass, failing keys in a second."""

from __future__ import annotations

from yunhe.engine.checks.counting import count_failures
from yunhe.engine.checks.errors import RuleRefused
from yunhe.engine.checks.formulas import FORMULAS
from yunhe.engine.checks.keys import collect_keys
from yunhe.engine.checks.kinds import list_kinds
from yunhe.engine.checks.nulls import count_nulls
from yunhe.engine.checks.plan import CheckPlan, block_conditions, compile_rules, explain, list_unique_blocks

__all__ = [
    "FORMULAS",
    "CheckPlan",
    "RuleRefused",
    "block_conditions",
    "collect_keys",
    "compile_rules",
    "count_failures",
    "count_nulls",
    "explain",
    "list_kinds",
    "list_unique_blocks",
]
