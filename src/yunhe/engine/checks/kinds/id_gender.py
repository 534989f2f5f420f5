"""id_gender: the 17th digit of the citizen id (odd: male) fits the gender code beside it. Columns: id, gender.

Arguments: `male`, `female` (codes; default 1 and 2 of GB/T 2261.1-2003). Checked where the id has its form and the
gender is one of these codes; 0 (unknown) and 9 (not stated) are not. Reason: gender_differs.
"""

from __future__ import annotations

from yunhe.engine.checks import identity
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, refuse
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Rule


class IdGender(Kind):
    code = "id_gender"
    dimension = "consistency"
    types = ("string",)
    column_count = (2, 2)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        number = quote_identifier(rule.columns[0])
        return self._verdict(rule, context, identity.form_sql(number), f"ascii(substr({number}, 17, 1))")

    def applies_fast(self, rule: Rule, context: Context, parts: Parts) -> Verdict | None:
        number = quote_identifier(rule.columns[0])
        form = identity.form_fast(number, context.on, parts)
        return self._verdict(rule, context, form, identity.seventeenth(number, parts))

    def _verdict(self, rule: Rule, context: Context, form: str, digit: str) -> Verdict:
        if context.columns[rule.columns[1]].type != "string":
            raise refuse(rule, rule.columns[1], "string", context.columns[rule.columns[1]].type)
        gender = quote_identifier(rule.columns[1])
        male, female = _codes(rule, "male", "1"), _codes(rule, "female", "2")
        differs = f"({digit} % 2 = 1) <> ({gender} IN ({male}))"
        return Verdict(rule.columns, (("gender_differs", differs),), f"{form} AND {gender} IN ({male}, {female})")

    def explain(self, rule: Rule) -> Sentence:
        number, gender = rule.columns
        return {
            "zh": f"{number}第 17 位（奇数为男，偶数为女）应与{gender}一致。",
            "en": f"The 17th digit of {number} (odd: male, even: female) must fit the {gender}.",
        }


def _codes(rule: Rule, part: str, default: str) -> str:
    given = rule.arguments.get(part, (default,))
    codes = (given,) if isinstance(given, str) else given
    if not isinstance(codes, (list, tuple)) or not codes or not all(isinstance(code, str) for code in codes):
        raise refuse(rule, part, "codes", given)
    return ", ".join(quote_literal(code) for code in codes)


KIND = IdGender()
