"""pattern: the whole text matches a regular expression (RE2). Arguments: `pattern`. Reason: pattern."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text, refuse
from yunhe.engine.errors import QueryFailed
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Limits, Rule

MAX_PATTERN = 1000


class Pattern(Kind):
    code = "pattern"
    dimension = "normativity"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        pattern = rule.arguments.get("pattern")
        usable = isinstance(pattern, str) and 0 < len(pattern) <= MAX_PATTERN and "\x00" not in pattern
        if not isinstance(pattern, str) or not usable or not _is_pattern(pattern):
            raise refuse(rule, "pattern", "RE2", pattern)
        column = quote_identifier(rule.columns[0])
        return Verdict(rule.columns, (("pattern", f"NOT regexp_full_match({column}, {quote_literal(pattern)})"),))

    def explain(self, rule: Rule) -> Sentence:
        pattern = rule.arguments.get("pattern")
        return {
            "zh": f"{columns_text(rule)}应符合格式 {pattern}。",
            "en": f"{columns_text(rule, 'en')} must have the form {pattern}.",
        }


@lru_cache(maxsize=1024)
def _is_pattern(pattern: str) -> bool:
    """Tell whether the engine itself accepts the pattern: a broken one would stop the whole pass."""
    from yunhe.engine.duck import session  # heavy (duckdb)

    limits = Limits(memory_mb=64, threads=1, seconds=5)
    with tempfile.TemporaryDirectory() as temp, session(limits=limits, temp=Path(temp)) as duck:
        try:
            duck.run("check pattern", f"SELECT regexp_full_match('', {quote_literal(pattern)})")
        except QueryFailed:
            return False
    return True


KIND = Pattern()
