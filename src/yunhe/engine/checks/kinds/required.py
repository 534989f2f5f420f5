"""required: the value is there. Every row is checked; reasons: missing, blank (nothing but spaces)."""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule

_SPACES = "chr(9) || chr(10) || chr(13) || ' ' || chr(12288)"


class Required(Kind):
    code = "required"
    dimension = "completeness"

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        column = quote_identifier(rule.columns[0])
        missing = ("missing", f"{column} IS NULL")
        if context.columns[rule.columns[0]].type != "string":
            return Verdict((), (missing,))
        # Only a value that begins with a space is trimmed: few do.
        begins = f"{column} < '!' OR starts_with({column}, chr(12288))"
        blank = f"CASE WHEN {begins} THEN trim({column}, {_SPACES}) = '' ELSE FALSE END"
        return Verdict((), (missing, ("blank", blank)), exclusive=True)

    def explain(self, rule: Rule) -> Sentence:
        return {"zh": f"{columns_text(rule)}必须填写。", "en": f"{columns_text(rule, 'en')} must be filled in."}


KIND = Required()
