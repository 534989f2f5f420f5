"""Conditions of the one expression language, compiled once per text and fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from yunhe.engine.expressions import parse_expression

Closure = Callable[[Mapping[str, object]], object]


@lru_cache(maxsize=2048)
def compile_condition(text: str, fields: tuple[tuple[str, str], ...]) -> Closure:
    """Return the closure of one condition. Raises: ExpressionRefused."""
    closure: Closure = parse_expression(text, dict(fields)).closure()
    return closure
