"""id_birth_date: the birth date in the citizen id is the birth date beside it. Columns: id, date.

Checked where both are there and the id has its form. Reason: birth_date_differs.
"""

from __future__ import annotations

from yunhe.engine.checks import identity
from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, refuse
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class IdBirthDate(Kind):
    code = "id_birth_date"
    dimension = "consistency"
    types = ("string",)
    column_count = (2, 2)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        number, born = (quote_identifier(name) for name in rule.columns)
        if context.columns[rule.columns[1]].type != "date":
            raise refuse(rule, rule.columns[1], "date", context.columns[rule.columns[1]].type)
        differs = f"substr({number}, 7, 8) <> strftime({born}, '%Y%m%d')"
        return Verdict(rule.columns, (("birth_date_differs", differs),), identity.form_sql(number))

    def passes_fast(self, rule: Rule, context: Context, parts: Parts) -> str:
        number, born = (quote_identifier(name) for name in rule.columns)
        valid, birth = identity.valid_fast(number, context.on, parts), identity.packed_birth(number, parts)
        same = (
            f"year({born}) = ({birth} >> 24) * 100 + (({birth} >> 16) & 255)"
            f" AND month({born}) = (({birth} >> 8) & 255) AND day({born}) = ({birth} & 255)"
        )
        return parts.share(f"born {number} {born}", f"{valid} AND {same}", uses=(valid, birth))

    def applies_fast(self, rule: Rule, context: Context, parts: Parts) -> Verdict | None:
        plain = self.verdict(rule, context)
        form = identity.form_fast(quote_identifier(rule.columns[0]), context.on, parts)
        return Verdict(plain.needs, plain.reasons, form)

    def explain(self, rule: Rule) -> Sentence:
        number, born = rule.columns
        return {
            "zh": f"{number}第 7–14 位应与{born}一致。",
            "en": f"Digits 7–14 of {number} must be the {born}.",
        }


KIND = IdBirthDate()
