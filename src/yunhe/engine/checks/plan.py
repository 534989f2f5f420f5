"""Compile rules against a table's columns: one plan that the count pass and the keys pass share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from yunhe.engine.checks.kind import CodeRow, Context, Sentence, Verdict
from yunhe.engine.checks.kinds import find_kind
from yunhe.engine.checks.parts import Parts
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Column, Rule
from yunhe.kernel import clock


@dataclass(frozen=True, slots=True)
class Compiled:
    """One rule of a plan. `result` is a column of the plan's rows: NULL not checked, 0 passed, k the k-th reason."""

    rule: Rule
    verdict: Verdict
    result: str
    whole_table: bool
    fast: str = ""

    @property
    def direct(self) -> bool:
        """Tell whether the rule's reasons are counted straight from their conditions, without a result column."""
        return self.verdict.apart and not self.fast

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return the codes of the reasons, in the order in which they are tried."""
        return tuple(code for code, _ in self.verdict.reasons)


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """Rules made ready for a table. `columns` are those the rules read; `on` is the day of the check."""

    rules: tuple[Compiled, ...]
    columns: tuple[str, ...]
    on: date
    parts: Parts = field(repr=False)

    def rows(self, source: str, *, chosen: Sequence[Compiled], extra: Sequence[str] = ()) -> str:
        """Return a FROM item with the rules' columns and shared parts, and a result column per `chosen` rule.

        `extra` are further (quoted) columns to carry along.
        """
        needed = [quote_identifier(name) for name in self.columns]
        carried = list(dict.fromkeys([*needed, *extra]))
        shared = self.parts.over(f"(SELECT {', '.join(carried) or '1'} FROM {source})")
        results = [f"{_result(compiled)} AS {compiled.result}" for compiled in chosen if not compiled.whole_table]
        return f"(SELECT {', '.join(['*', *results])} FROM {shared})"


def compile_rules(
    rules: Sequence[Rule],
    columns: Sequence[Column],
    code_sets: Mapping[str, Sequence[CodeRow]] | None = None,
    *,
    on: date | None = None,
) -> CheckPlan:
    """Return the plan of these rules over a table with these columns; `on` is today (Chinese time) if not given.

    Raises: RuleRefused, ExpressionRefused.
    """
    context = make_context(columns, code_sets, on)
    parts, compiled, used = Parts(), [], dict[str, None]()
    for number, rule in enumerate(rules):
        kind = find_kind(rule.kind, rule=rule.code)
        kind.check(rule, context)
        plain = kind.verdict(rule, context)
        verdict = kind.applies_fast(rule, context, parts) or plain
        result = quote_identifier(f"_result {number}")
        fast = kind.passes_fast(rule, context, parts)
        compiled.append(Compiled(rule, verdict, result, kind.whole_table, fast))
        used.update(dict.fromkeys(_columns_read(rule, verdict, context)))
    return CheckPlan(tuple(compiled), tuple(used), context.on, parts)


def make_context(
    columns: Sequence[Column], code_sets: Mapping[str, Sequence[CodeRow]] | None, on: date | None
) -> Context:
    """Return what rules are compiled against."""
    today = on or clock.local(clock.now()).date()
    return Context({column.name: column for column in columns}, dict(code_sets or {}), today)


def block_conditions(
    rules: Sequence[Rule],
    columns: Sequence[Column],
    code_sets: Mapping[str, Sequence[CodeRow]] | None = None,
    *,
    on: date | None = None,
) -> tuple[tuple[str, str], ...]:
    """Return (reason code, SQL condition) of the rules that block, for the loader to quarantine by.

    Shape: one pair per reason, code `rule:reason`; conditions read the typed columns by their names, are never
    NULL, and those of one rule exclude each other. A `unique` rule has no condition on one row: see
    `list_unique_blocks`.
    Raises: RuleRefused, ExpressionRefused.
    """
    context, found = make_context(columns, code_sets, on), []
    for rule in rules:
        kind = find_kind(rule.kind, rule=rule.code)
        kind.check(rule, context)
        if rule.severity != "block" or kind.whole_table:
            continue
        verdict = kind.verdict(rule, context)
        result = _plain_result(verdict)
        found += [(f"{rule.code}:{reason}", f"coalesce({result} = {at}, FALSE)")
                  for at, (reason, _) in enumerate(verdict.reasons, start=1)]  # fmt: skip
    return tuple(found)


def list_unique_blocks(rules: Sequence[Rule]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (reason code, columns) of the unique rules that block: the loader treats them like keys."""
    return tuple((f"{rule.code}:duplicate", rule.columns)
                 for rule in rules if rule.kind == "unique" and rule.severity == "block")  # fmt: skip


def explain(rule: Rule) -> Sentence:
    """Return what the rule demands, in one sentence per language. Raises: RuleRefused."""
    return find_kind(rule.kind, rule=rule.code).explain(rule)


def _result(compiled: Compiled) -> str:
    plain = _plain_result(compiled.verdict)
    return f"CASE WHEN {compiled.fast} THEN 0 ELSE {plain} END" if compiled.fast else plain


def _plain_result(verdict: Verdict) -> str:
    arms = "".join(f" WHEN {condition} THEN {at}" for at, (_, condition) in enumerate(verdict.reasons, start=1))
    applies = verdict.applies
    judged = f"CASE{arms} ELSE 0 END" if arms else "0"
    return judged if applies == "TRUE" else f"CASE WHEN {applies} THEN {judged} END"


def _columns_read(rule: Rule, verdict: Verdict, context: Context) -> list[str]:
    """Return the columns that the rule's SQL names (an expression names its own)."""
    text = " ".join([verdict.applies, *(condition for _, condition in verdict.reasons)])
    named = [name for name in context.columns if quote_identifier(name) in text]
    return list(dict.fromkeys([*rule.columns, *named]))
