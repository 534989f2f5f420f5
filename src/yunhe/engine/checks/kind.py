"""What one kind of rule is: how it is checked, written as SQL and said to people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from yunhe.engine.checks.errors import RuleRefused
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Column, Rule

CodeRow = tuple[str, date | None, date | None]
Sentence = dict[str, str]


@dataclass(frozen=True, slots=True)
class Context:
    """What rules are compiled against: the table's columns, the code sets by name, and today's date."""

    columns: Mapping[str, Column]
    code_sets: Mapping[str, Sequence[CodeRow]]
    on: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule as SQL over one row.

    The rule applies (is checked) where every column of `needs` is present and `where` holds. It fails by the
    first of `reasons` whose condition is TRUE; conditions see only rows to which the rule applies. `exclusive`: no
    row meets two of them, so each can be counted by itself. `value`: an expression that is NULL exactly where the
    rule does not apply.
    """

    needs: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    where: str = ""
    exclusive: bool = False
    value: str = ""

    @property
    def apart(self) -> bool:
        """Tell whether every reason can be counted without regard to the others."""
        return self.exclusive or len(self.reasons) == 1

    @property
    def applies(self) -> str:
        """Return the condition, never NULL, under which the rule is checked."""
        present = [f"{quote_identifier(name)} IS NOT NULL" for name in self.needs]
        return " AND ".join([*present, *([f"({self.where})"] if self.where else [])]) or "TRUE"


class Kind(ABC):
    """One kind of rule; each lives in a module of `kinds` and is found there by its `code`.

    `dimension` is the GB/T 36344 dimension it usually measures. `whole_table`: a row cannot be judged alone.
    """

    code: ClassVar[str]
    dimension: ClassVar[str]
    types: ClassVar[tuple[str, ...]] = ()
    column_count: ClassVar[tuple[int, int]] = (1, 1)
    whole_table: ClassVar[bool] = False

    @abstractmethod
    def verdict(self, rule: Rule, context: Context) -> Verdict:
        """Return the rule as plain SQL. Raises: RuleRefused."""

    @abstractmethod
    def explain(self, rule: Rule) -> Sentence:
        """Return what the rule demands, in one sentence per language."""

    def passes_fast(self, rule: Rule, context: Context, parts: Parts) -> str:
        """Return a cheap condition that implies "applies and passes", or nothing.

        It may miss rows that pass (the plain verdict then decides) but must never hold for one that fails.
        """
        return ""

    def applies_fast(self, rule: Rule, context: Context, parts: Parts) -> Verdict | None:
        """Return the same verdict written over shared parts, or None where there is nothing to share."""
        return None

    def check(self, rule: Rule, context: Context) -> None:
        """Raise RuleRefused unless the columns exist, their number fits and the first has an allowed type."""
        low, high = self.column_count
        if not low <= len(rule.columns) <= high:
            raise refuse(rule, "columns", f"{low}" if low == high else f"{low}–{high}", len(rule.columns))
        for name in rule.columns:
            if name not in context.columns:
                raise refuse(rule, "columns", "/".join(context.columns), name)
        if self.types and context.columns[rule.columns[0]].type not in self.types:
            raise refuse(rule, rule.columns[0], " / ".join(self.types), context.columns[rule.columns[0]].type)


def refuse(rule: Rule, part: str, expected: object, found: object) -> RuleRefused:
    """Return the refusal of one part of a rule."""
    return RuleRefused(rule=rule.code, part=part, expected=str(expected)[:200], found=str(found)[:100])


def columns_text(rule: Rule, language: str = "zh") -> str:
    """Return the rule's columns for a sentence of a language."""
    return (", " if language == "en" else "、").join(rule.columns)
