"""range: the number lies within bounds, both included. Arguments: `min`, `max`. Reasons: too_small, too_large."""

from __future__ import annotations

from yunhe.engine.checks.bounds import as_number
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text, refuse
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class Range(Kind):
    code = "range"
    dimension = "accuracy"
    types = ("integer", "decimal")

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        low, high = (as_number(rule, part, rule.arguments.get(part)) for part in ("min", "max"))
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise refuse(rule, "min, max", "min <= max", f"{low} {high}")
        column = quote_identifier(rule.columns[0])
        small = (("too_small", f"{column} < ({low:f})"),) if low is not None else ()
        large = (("too_large", f"{column} > ({high:f})"),) if high is not None else ()
        return Verdict(rule.columns, small + large, exclusive=True)

    def explain(self, rule: Rule) -> Sentence:
        low, high = rule.arguments.get("min"), rule.arguments.get("max")
        columns = columns_text(rule)
        if high is None:
            return {"zh": f"{columns}不得小于 {low}。", "en": f"{columns} must not be less than {low}."}
        if low is None:
            return {"zh": f"{columns}不得大于 {high}。", "en": f"{columns} must not be more than {high}."}
        return {"zh": f"{columns}应在 {low} 至 {high} 之间。", "en": f"{columns} must lie between {low} and {high}."}


KIND = Range()
