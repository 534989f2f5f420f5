"""licence_id: an electronic licence identifier (电子证照标识). Reasons: length alphabet check_digit."""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule
from yunhe.kernel.check_digits import ALPHABET_36, LICENCE_ROOT, LICENCE_TYPE_LENGTH, LICENCE_VERSION_LENGTH


class LicenceId(Kind):
    code = "licence_id"
    dimension = "accuracy"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        column = quote_identifier(rule.columns[0])
        rest = f"substr({column}, {len(LICENCE_ROOT) + 2})"
        part = [f"split_part({rest}, '.', {at})" for at in range(1, 6)]
        wrong = " OR ".join((
            f"NOT starts_with({column}, '{LICENCE_ROOT}.')",
            f"length({rest}) - length(replace({rest}, '.', '')) <> 4",
            f"length({part[0]}) <> {LICENCE_TYPE_LENGTH}",
            f"length({part[3]}) <> {LICENCE_VERSION_LENGTH}",
            f"length({part[4]}) <> 1",
            f"{part[1]} = ''",
            f"{part[2]} = ''",
        ))  # fmt: skip
        signs = f"NOT regexp_full_match({rest}, '[0-9A-Z.]*') OR NOT regexp_full_match({part[3]}, '[0-9]*')"
        check = f"{part[4]} <> {mod37_36_sql(' || '.join(part[:4]))}"
        return Verdict(rule.columns, (("length", wrong), ("alphabet", signs), ("check_digit", check)))

    def explain(self, rule: Rule) -> Sentence:
        return {
            "zh": f"{columns_text(rule)}应为电子证照标识（GB/T 36904），校验位正确。",
            "en": f"{columns_text(rule, 'en')} must be an electronic licence identifier (GB/T 36904).",
        }


def mod37_36_sql(body: str) -> str:
    """Return SQL for the check character of MOD 37,36 over `body`. Source: GB/T 17710-2008."""
    value = f"instr('{ALPHABET_36}', c) - 1"
    digits = f"list_transform(string_split({body}, ''), lambda c: CAST({value} AS INTEGER))"
    step = "CASE WHEN (p + v) % 36 = 0 THEN 36 ELSE (p + v) % 36 END * 2 % 37"
    product = f"list_reduce({digits}, lambda p, v: {step}, 36)"
    return f"substr('{ALPHABET_36}', 1 + (37 - {product}) % 36, 1)"


KIND = LicenceId()
