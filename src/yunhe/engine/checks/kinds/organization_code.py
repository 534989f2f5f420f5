"""organization_code: an organisation code (组织机构代码), hyphen optional. Reasons: length alphabet check_digit."""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule
from yunhe.kernel.check_digits import ALPHABET_36, ORGANIZATION_WEIGHTS


class OrganizationCode(Kind):
    code = "organization_code"
    dimension = "accuracy"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        column = quote_identifier(rule.columns[0])
        body = f"CASE WHEN substr({column}, 9, 1) = '-' THEN substr({column}, 1, 8) || substr({column}, 10) ELSE {column} END"
        # GB 11714-1997, clause 3: check = 11 - sum mod 11; 10 is written X, 11 is written 0.
        total = " + ".join(f"(instr('{ALPHABET_36}', substr({column}, {at}, 1)) - 1) * {weight}"
                           for at, weight in enumerate(ORGANIZATION_WEIGHTS, start=1))  # fmt: skip
        expected = f"substr('0X987654321', 1 + ({total}) % 11, 1)"
        return Verdict(rule.columns, (
            ("length", f"length({body}) <> 9"),
            ("alphabet", f"NOT regexp_full_match({body}, '[0-9A-Z]{{8}}[0-9X]')"),
            ("check_digit", f"substr({body}, 9, 1) <> {expected}"),
        ))  # fmt: skip

    def explain(self, rule: Rule) -> Sentence:
        return {
            "zh": f"{columns_text(rule)}应为 9 位组织机构代码（GB 11714），校验码正确。",
            "en": f"{columns_text(rule, 'en')} must be a 9-character organisation code (GB 11714).",
        }


KIND = OrganizationCode()
