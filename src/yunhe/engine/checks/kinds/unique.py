"""unique: no two rows share the values of the columns. Reason: duplicate; every row that shares fails.

A row is checked where all the columns are present. It cannot be judged alone: see `engine.checks.duplicates`.
"""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, columns_text
from yunhe.engine.types import Rule


class Unique(Kind):
    code = "unique"
    dimension = "accuracy"
    column_count = (1, 16)
    whole_table = True

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        return Verdict(rule.columns, (("duplicate", "FALSE"),))

    def explain(self, rule: Rule) -> Sentence:
        return {
            "zh": f"{columns_text(rule)}的取值在全表中不得重复。",
            "en": f"No two rows may share the same {columns_text(rule, 'en')}.",
        }


KIND = Unique()
