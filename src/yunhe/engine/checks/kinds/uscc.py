"""uscc: a unified social credit code (统一社会信用代码). Reasons: old_form length alphabet check_digit."""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule
from yunhe.kernel.check_digits import USCC_ALPHABET, USCC_WEIGHTS


class Uscc(Kind):
    code = "uscc"
    dimension = "accuracy"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        column = quote_identifier(rule.columns[0])
        # GB 32100-2015, clause 5: the weighted sum over all 18 characters, the last with weight 1, is 0 mod 31.
        total = " + ".join(f"(instr('{USCC_ALPHABET}', substr({column}, {at}, 1)) - 1) * {weight}"
                           for at, weight in enumerate((*USCC_WEIGHTS, 1), start=1))  # fmt: skip
        return Verdict(rule.columns, (
            ("old_form", f"regexp_full_match({column}, '[0-9A-Z]{{15}}')"),
            ("length", f"length({column}) <> 18"),
            ("alphabet", f"NOT regexp_full_match({column}, '[{USCC_ALPHABET}]{{18}}')"),
            ("check_digit", f"({total}) % 31 <> 0"),
        ))  # fmt: skip

    def explain(self, rule: Rule) -> Sentence:
        return {
            "zh": f"{columns_text(rule)}应为 18 位统一社会信用代码（GB 32100），校验码正确。",
            "en": f"{columns_text(rule, 'en')} must be an 18-character unified social credit code (GB 32100).",
        }


KIND = Uscc()
