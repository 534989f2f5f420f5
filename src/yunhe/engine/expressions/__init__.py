"""Expressions over named fields: one checked tree, compiled to a closure and to SQL (architecture 4)."""

from __future__ import annotations

from yunhe.engine.expressions.errors import ExpressionRefused
from yunhe.engine.expressions.expression import Expression, Outcome, parse_expression
from yunhe.engine.expressions.functions import list_functions
from yunhe.engine.expressions.types import Fault

__all__ = ["Expression", "ExpressionRefused", "Fault", "Outcome", "list_functions", "parse_expression"]
