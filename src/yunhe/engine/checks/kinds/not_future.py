"""not_future: the day is not after the day of the check. Reason: future. A timestamp counts by its Chinese day."""

from __future__ import annotations

from datetime import timedelta

from yunhe.engine.checks.bounds import day_start_sql
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class NotFuture(Kind):
    code = "not_future"
    dimension = "timeliness"
    types = ("date", "timestamp")

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        tomorrow = day_start_sql(context.columns[rule.columns[0]], context.on + timedelta(days=1))
        return Verdict(rule.columns, (("future", f"{quote_identifier(rule.columns[0])} >= {tomorrow}"),))

    def explain(self, rule: Rule) -> Sentence:
        return {"zh": f"{columns_text(rule)}不得晚于当天。", "en": f"{columns_text(rule, 'en')} must not lie in the future."}


KIND = NotFuture()
