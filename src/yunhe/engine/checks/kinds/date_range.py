"""date_range: the day lies within bounds, both included. Arguments: `min`, `max`. Reasons: too_early, too_late.

A timestamp counts by its Chinese calendar day.
"""

from __future__ import annotations

from datetime import date, timedelta

from yunhe.engine.checks.bounds import as_date, day_start_sql
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text, refuse
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Column, Rule


class DateRange(Kind):
    code = "date_range"
    dimension = "timeliness"
    types = ("date", "timestamp")

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        low, high = (as_date(rule, part, rule.arguments.get(part)) for part in ("min", "max"))
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise refuse(rule, "min, max", "min <= max", f"{low} {high}")
        name, column = quote_identifier(rule.columns[0]), context.columns[rule.columns[0]]
        early = (("too_early", f"{name} < {day_start_sql(column, low)}"),) if low else ()
        late = (("too_late", _after(name, column, high)),) if high else ()
        return Verdict(rule.columns, early + late, exclusive=True)

    def explain(self, rule: Rule) -> Sentence:
        low, high = rule.arguments.get("min"), rule.arguments.get("max")
        columns = columns_text(rule)
        if high is None:
            return {"zh": f"{columns}不得早于 {low}。", "en": f"{columns} must not be earlier than {low}."}
        if low is None:
            return {"zh": f"{columns}不得晚于 {high}。", "en": f"{columns} must not be later than {high}."}
        return {
            "zh": f"{columns}应在 {low} 至 {high} 之间（含首尾两日）。",
            "en": f"{columns} must lie between {low} and {high}, both days included.",
        }


def _after(name: str, column: Column, last: date) -> str:
    if last == date.max:  # the last day there is
        return "FALSE"
    return f"{name} >= {day_start_sql(column, last + timedelta(days=1))}"


KIND = DateRange()
