"""id_region: the first digits of the citizen id are those of the region beside it. Columns: id, region.

People move and division codes are abolished, so this is never more than a warning. Arguments: `digits` (default 6).
Checked where both are there and the id has its form. Reason: region_differs.
"""

from __future__ import annotations

from yunhe.engine.checks import identity
from yunhe.engine.checks.bounds import as_count
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, refuse
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class IdRegion(Kind):
    code = "id_region"
    dimension = "consistency"
    types = ("string",)
    column_count = (2, 2)

    def check(self, rule: Rule, context: Context) -> None:
        super().check(rule, context)
        if rule.severity == "block":
            raise refuse(rule, "severity", "warn / info", rule.severity)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        return self._verdict(rule, context, identity.form_sql(quote_identifier(rule.columns[0])))

    def applies_fast(self, rule: Rule, context: Context, parts: Parts) -> Verdict | None:
        return self._verdict(rule, context, identity.form_fast(quote_identifier(rule.columns[0]), context.on, parts))

    def _verdict(self, rule: Rule, context: Context, form: str) -> Verdict:
        number, region = (quote_identifier(name) for name in rule.columns)
        if context.columns[rule.columns[1]].type != "string":
            raise refuse(rule, rule.columns[1], "string", context.columns[rule.columns[1]].type)
        digits = as_count(rule, "digits", rule.arguments.get("digits", 6)) or 0
        if digits not in (2, 4, 6):
            raise refuse(rule, "digits", "2 / 4 / 6", digits)
        differs = f"substr({number}, 1, {digits}) <> substr({region}, 1, {digits})"
        return Verdict(rule.columns, (("region_differs", differs),), form)

    def explain(self, rule: Rule) -> Sentence:
        number, region = rule.columns
        digits = rule.arguments.get("digits", 6)
        return {
            "zh": f"{number}前 {digits} 位与{region}不同时提示（可能已迁居或区划已变更）。",
            "en": f"A warning where the first {digits} digits of {number} differ from {region} (moved, or renamed region).",
        }


KIND = IdRegion()
