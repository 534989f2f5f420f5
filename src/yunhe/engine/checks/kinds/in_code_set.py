"""in_code_set: the value is a code of a set, as of the record's date.

Arguments: `codes` (list of code, or (code, valid_from, valid_until), half-open, None is open) or `code_set` (a name
given to compile_rules); `as_of` (a date or timestamp column; without it, or without a date in it, see below).
Reasons: unknown_code (never in the set), not_valid_then (in the set, at another time). Without `as_of` the day of
the check counts. Where the record's date is missing, a code that was not always valid is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from yunhe.engine.checks.bounds import as_date, local_date_sql
from yunhe.engine.checks.kind import CodeRow, Context, Kind, Sentence, Verdict, columns_text, refuse
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Rule

Interval = tuple[date | None, date | None]


class InCodeSet(Kind):
    code = "in_code_set"
    dimension = "normativity"
    types = ("string",)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        column = quote_identifier(rule.columns[0])
        spans = _spans(rule, _rows(rule, context))
        always = [code for code, found in spans.items() if found == ((None, None),)]
        limited = [code for code in spans if code not in set(always)]
        unknown = ("unknown_code", f"NOT ({_within(column, spans)})")
        if not limited:
            return Verdict(rule.columns, (unknown,))
        at, where = _as_of(rule, context, column, limited)
        groups: dict[Interval, list[str]] = {}
        for code in limited:
            for span in spans[code]:
                groups.setdefault(span, []).append(code)
        valid = [_within(column, always), *(f"({_within(column, codes)} AND {_between(at, span)})"
                                            for span, codes in groups.items())]  # fmt: skip
        return Verdict(rule.columns, (unknown, ("not_valid_then", f"NOT ({' OR '.join(valid)})")), where)

    def explain(self, rule: Rule) -> Sentence:
        named, codes = str(rule.arguments.get("code_set", "")), list(map(str, list(_codes(rule))[:5]))
        as_of = rule.arguments.get("as_of")
        return {
            "zh": f"{columns_text(rule)}应为代码集（{named or '、'.join(codes)}）中{f'按 {as_of} 当日' if as_of else ''}有效的代码。",
            "en": f"{columns_text(rule, 'en')} must be a code of {named or ', '.join(codes)}{f', valid on {as_of}' if as_of else ''}.",
        }


def _codes(rule: Rule) -> Mapping[str, None]:
    found = rule.arguments.get("codes", ())
    rows = found if isinstance(found, (list, tuple)) else ()
    return {str(row if isinstance(row, str) else row[0]): None for row in rows}


def _rows(rule: Rule, context: Context) -> list[CodeRow]:
    name = rule.arguments.get("code_set")
    given = context.code_sets.get(str(name)) if name else rule.arguments.get("codes")
    if not isinstance(given, (list, tuple)) or not given:
        raise refuse(rule, "code_set" if name else "codes", "codes", name or given)
    return [_row(rule, row) for row in given]


def _row(rule: Rule, row: object) -> CodeRow:
    if isinstance(row, str):
        return (row, None, None)
    if not isinstance(row, (list, tuple)) or len(row) != 3 or not isinstance(row[0], str):
        raise refuse(rule, "codes", "code | (code, valid_from, valid_until)", row)
    return (row[0], as_date(rule, "codes", row[1]), as_date(rule, "codes", row[2]))


def _spans(rule: Rule, rows: list[CodeRow]) -> dict[str, tuple[Interval, ...]]:
    """Return for each code the intervals in which it is valid, overlapping and touching ones joined."""
    spans: dict[str, list[Interval]] = {}
    for code, start, end in rows:
        if start and end and start >= end:
            raise refuse(rule, "codes", "valid_from < valid_until", f"{code} {start} {end}")
        spans.setdefault(code, []).append((start, end))
    return {code: _joined(found) for code, found in spans.items()}


def _joined(spans: list[Interval]) -> tuple[Interval, ...]:
    ordered = sorted(((start or date.min, end or date.max) for start, end in spans))
    merged = [ordered[0]]
    for start, end in ordered[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple((None if start == date.min else start, None if end == date.max else end) for start, end in merged)


def _as_of(rule: Rule, context: Context, column: str, limited: list[str]) -> tuple[str, str]:
    """Return the date that counts, and where it is known."""
    name = rule.arguments.get("as_of")
    if not name:
        return f"DATE '{context.on.isoformat()}'", ""
    found = context.columns.get(str(name))
    if found is None or found.type not in ("date", "timestamp"):
        raise refuse(rule, "as_of", "date / timestamp", name if found is None else found.type)
    at = local_date_sql(found)
    return at, f"{at} IS NOT NULL OR NOT ({_within(column, limited)})"


def _within(column: str, codes: object) -> str:
    listed = ", ".join(quote_literal(code) for code in codes)  # type: ignore[attr-defined]
    return f"{column} IN ({listed})" if listed else "FALSE"


def _between(at: str, span: Interval) -> str:
    start, end = span
    tests = [f"{at} >= DATE '{start.isoformat()}'"] if start else []
    return " AND ".join([*tests, *([f"{at} < DATE '{end.isoformat()}'"] if end else [])]) or "TRUE"


KIND = InCodeSet()
