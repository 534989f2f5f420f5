"""length: the number of characters lies within bounds. Arguments: `min`, `max`. Reasons: too_short, too_long."""

from __future__ import annotations

from yunhe.engine.checks.bounds import as_count
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text, refuse
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class Length(Kind):
    code = "length"
    dimension = "normativity"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        low, high = (as_count(rule, part, rule.arguments.get(part)) for part in ("min", "max"))
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise refuse(rule, "min, max", "min <= max", f"{low} {high}")
        size = f"length({quote_identifier(rule.columns[0])})"
        short = (("too_short", f"{size} < {low}"),) if low is not None else ()
        long = (("too_long", f"{size} > {high}"),) if high is not None else ()
        return Verdict(rule.columns, short + long, exclusive=True)

    def explain(self, rule: Rule) -> Sentence:
        low, high = rule.arguments.get("min", 0), rule.arguments.get("max", "…")
        return {
            "zh": f"{columns_text(rule)}的长度应在 {low} 至 {high} 个字符之间。",
            "en": f"{columns_text(rule, 'en')} must have {low} to {high} characters.",
        }


KIND = Length()
