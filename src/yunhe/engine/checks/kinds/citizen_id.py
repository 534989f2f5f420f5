"""citizen_id: a citizen id (公民身份号码) valid today. Reasons: old_form length alphabet birth_date check_digit."""

from __future__ import annotations

from yunhe.engine.checks import identity
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class CitizenId(Kind):
    code = "citizen_id"
    dimension = "accuracy"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        return Verdict(rule.columns, identity.reasons(quote_identifier(rule.columns[0]), context.on))

    def passes_fast(self, rule: Rule, context: Context, parts: Parts) -> str:
        return identity.valid_fast(quote_identifier(rule.columns[0]), context.on, parts)

    def explain(self, rule: Rule) -> Sentence:
        return {
            "zh": f"{columns_text(rule)}应为现行有效的 18 位公民身份号码（GB 11643）：出生日期真实存在，校验码正确。",
            "en": f"{columns_text(rule, 'en')} must be an 18-digit citizen id (GB 11643): real birth date, right check digit.",
        }


KIND = CitizenId()
