"""Counts and failing keys of every kind of rule agree with plain Python on random rows."""

# ruff: noqa: DTZ001 - the lake stores UTC without a zone
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.engine.checks import (
    FORMULAS,
    RuleRefused,
    block_conditions,
    collect_keys,
    compile_rules,
    count_failures,
    explain,
    list_kinds,
    list_unique_blocks,
)
from yunhe.engine.duck import session
from yunhe.engine.expressions import ExpressionRefused
from yunhe.engine.types import Column, Limits, Rule
from yunhe.kernel.check_digits import check_citizen_id

ON = date(2026, 7, 1)
LIMITS = Limits(memory_mb=256, threads=2)
COLUMNS = (Column("id"), Column("born", "date"), Column("sex"), Column("region"), Column('a "name"'), Column("n", "integer"),
           Column("x", "decimal"), Column("at", "timestamp"))  # fmt: skip
ARROW = {"id": pa.string(), "born": pa.date32(), "sex": pa.string(), "region": pa.string(), 'a "name"': pa.string(),
         "n": pa.int64(), "x": pa.decimal128(38, 6), "at": pa.timestamp("us"), "_record": pa.int64()}  # fmt: skip
DATED = (
    ("1", None, None),
    ("2", None, date(2020, 1, 1)),
    ("3", date(2020, 1, 1), date(2022, 1, 1)),
    ("3", date(2023, 1, 1), None),
)
Row = dict[str, Any]
Judge = Callable[[Row], str | None]


def _local(at: datetime) -> date:
    return (at + timedelta(hours=8)).date()


def _form(row: Row) -> bool:
    return bool(re.fullmatch("[0-9]{17}[0-9X]", row["id"] or ""))


def _in_dated(code: str | None, on: date | None) -> str | None:
    """The oracle of a dated code set: None not checked, "" passed, else the reason."""
    if code is None:
        return None
    spans = [(low or date.min, high or date.max) for known, low, high in DATED if known == code]
    if not spans:
        return "unknown_code"
    if on is None:
        return "" if (date.min, date.max) in spans else None
    return "" if any(low <= on < high for low, high in spans) else "not_valid_then"


def _met(value: bool | None, missing: bool) -> str | None:
    return "" if value else "not_met" if value is False else None if missing else "unknown"


def _cast(text: str | None) -> str | None:
    return (
        None
        if text is None
        else "not_computable"
        if not re.fullmatch("-?[0-9]{1,18}", text)
        else ""
        if int(text) > 1
        else "not_met"
    )


def _case(row: Row) -> str | None:
    value = True if row["sex"] == "1" else None  # CASE without ELSE
    return _met(value, row["sex"] is None)


def rule(kind: str, columns: tuple[str, ...] = (), code: str = "", **arguments: object) -> Rule:
    return Rule(code or f"{kind}{len(arguments)}", kind, "accuracy", "warn", columns, arguments)


NAME = 'a "name"'
RULES: list[tuple[Rule, Judge]] = [
    (
        rule("required", (NAME,)),
        lambda r: "missing" if r[NAME] is None else "" if r[NAME].strip("\t\n\r 　") else "blank",
    ),
    (rule("required", ("n",), "n there"), lambda r: "missing" if r["n"] is None else ""),
    (rule("citizen_id", ("id",)), lambda r: None if r["id"] is None else check_citizen_id(r["id"], on=ON).reason),
    (
        rule("id_birth_date", ("id", "born")),
        lambda r: (
            None
            if r["born"] is None or not _form(r)
            else ""
            if r["id"][6:14] == r["born"].strftime("%Y%m%d").zfill(8)
            else "birth_date_differs"
        ),
    ),
    (
        rule("id_gender", ("id", "sex")),
        lambda r: (
            None
            if not _form(r) or r["sex"] not in ("1", "2")
            else ""
            if int(r["id"][16]) % 2 == (r["sex"] == "1")
            else "gender_differs"
        ),
    ),
    (
        rule("id_region", ("id", "region")),
        lambda r: (
            None if not _form(r) or r["region"] is None else "" if r["id"][:6] == r["region"][:6] else "region_differs"
        ),
    ),
    (
        rule("in_code_set", ("sex",), codes=("1", "2")),
        lambda r: None if r["sex"] is None else "" if r["sex"] in "12" and r["sex"] else "unknown_code",
    ),
    (rule("in_code_set", ("sex",), "today", codes=DATED), lambda r: _in_dated(r["sex"], ON)),
    (rule("in_code_set", ("sex",), "then", code_set="dated", as_of="born"), lambda r: _in_dated(r["sex"], r["born"])),
    (
        rule("in_code_set", ("sex",), "at", code_set="dated", as_of="at"),
        lambda r: _in_dated(r["sex"], r["at"] and _local(r["at"])),
    ),
    (
        rule("pattern", (NAME,), pattern="[a-c]+|一.*"),
        lambda r: None if r[NAME] is None else "" if re.fullmatch("[a-c]+|一.*", r[NAME]) else "pattern",
    ),
    (
        rule("length", (NAME,), min=1, max=3),
        lambda r: (
            None if r[NAME] is None else "too_short" if len(r[NAME]) < 1 else "too_long" if len(r[NAME]) > 3 else ""
        ),
    ),
    (
        rule("range", ("n",), min=-2, max="3.5"),
        lambda r: None if r["n"] is None else "too_small" if r["n"] < -2 else "too_large" if r["n"] > 3.5 else "",
    ),
    (rule("range", ("x",), "x", max=1), lambda r: None if r["x"] is None else "too_large" if r["x"] > 1 else ""),
    (
        rule("date_range", ("born",), min="2000-01-01", max="2020-01-01"),
        lambda r: (
            None
            if r["born"] is None
            else "too_early"
            if r["born"] < date(2000, 1, 1)
            else "too_late"
            if r["born"] > date(2020, 1, 1)
            else ""
        ),
    ),
    (
        rule("date_range", ("at",), "at range", max=date(2020, 1, 1)),
        lambda r: None if r["at"] is None else "too_late" if _local(r["at"]) > date(2020, 1, 1) else "",
    ),
    (
        rule("date_range", ("born",), "last day", max="9999-12-31"),
        lambda r: None if r["born"] is None else "",
    ),
    (rule("not_future", ("born",)), lambda r: None if r["born"] is None else "future" if r["born"] > ON else ""),
    (
        rule("not_future", ("at",), "at past"),
        lambda r: None if r["at"] is None else "future" if _local(r["at"]) > ON else "",
    ),
    (
        rule("expression", (), "e1", where="n > 0 OR born IS NULL"),
        lambda r: _met(True if r["born"] is None or (r["n"] or 0) > 0 else None if r["n"] is None else False, True),
    ),
    (rule("expression", (), "e2", where='CAST("a ""name""" AS INTEGER) > 1'), lambda r: _cast(r[NAME])),
    (rule("expression", (), "e3", where="CASE WHEN sex = '1' THEN true END"), _case),
]
UNIQUE = (rule("unique", ("sex",)), rule("unique", ("sex", "n"), "pair"))

IDS = st.sampled_from(["11010519491231002X", "440524188001010014", "110105200002290024", "11010520000229002x", "110105491231002",
                       "1101051949123100２X", "110105194912310021", "010105194912310021", "", "1"])  # fmt: skip
DAYS = st.sampled_from(
    [
        date(1949, 12, 31),
        date(2000, 2, 29),
        date(2019, 12, 31),
        date(2020, 1, 1),
        date(2022, 6, 1),
        date(2026, 7, 1),
        date(2026, 7, 2),
        date(1880, 1, 1),
    ]
)
TIMES = st.sampled_from(
    [
        datetime(2019, 12, 31, 15, 59, 59),
        datetime(2019, 12, 31, 16),
        datetime(2020, 1, 1, 16),
        datetime(2026, 7, 1, 15, 59, 59),
        datetime(2026, 7, 1, 16),
    ]
)
NAMES = st.sampled_from(
    [
        "",
        " ",
        "　 ",
        "\t",
        " a",
        "　一",
        "a",
        "abc",
        "abcd",
        "一\u200d",
        "👩‍👩",
        "7",
        "-3",
        "1.5",
        " 7",
        "一二三",
        "'; --",
        "%",
    ]
)
ROWS = st.lists(st.fixed_dictionaries({
    "id": st.none() | IDS, "born": st.none() | DAYS, "sex": st.none() | st.sampled_from(["1", "2", "3", "0", "", "9"]),
    "region": st.none() | st.sampled_from(["110105", "11010a", "440524000000", "4405"]), NAME: st.none() | NAMES,
    "n": st.none() | st.integers(-4, 5), "x": st.none() | st.sampled_from([Decimal(1), Decimal("1.000001"), Decimal(-5)]), "at": st.none() | TIMES,
}), max_size=25)  # fmt: skip


def _write(rows: list[Row], folder: Path, files: int = 2) -> list[Path]:
    """Write the rows as several files, as the lake keeps them."""
    paths = []
    for part in range(files):
        chosen = [{**row, "_record": at} for at, row in enumerate(rows) if at % files == part]
        paths.append(folder / f"{part}.parquet")
        pq.write_table(
            pa.table({name: pa.array([row[name] for row in chosen], kind) for name, kind in ARROW.items()}), paths[-1]
        )
    return paths


@settings(max_examples=amount(small=25, full=3000), deadline=None, derandomize=True)
@given(rows=ROWS)
def test_counts_and_keys_agree_with_plain_python(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")
    files = _write(rows, folder)
    plan = compile_rules([*(r for r, _ in RULES), *UNIQUE], COLUMNS, {"dated": DATED}, on=ON)
    counts = {count.rule: count for count in count_failures(files=files, plan=plan, limits=LIMITS)}
    expected: list[tuple[str, str, int, str | None, str | None]] = []
    for checked_rule, judge in RULES:
        results = [judge(row) for row in rows]
        count = counts[checked_rule.code]
        assert count.checked == sum(result is not None for result in results), checked_rule.code
        assert dict(count.reasons) == dict(Counter(result for result in results if result)), checked_rule.code
        assert count.failed == sum(count.reasons.values())
        expected += [
            (checked_rule.code, result, at, rows[at]["id"], _text(rows[at]["n"]))
            for at, result in enumerate(results)
            if result
        ]
    for unique in UNIQUE:
        keys = [tuple(row[name] for name in unique.columns) for row in rows]
        full = Counter(key for key in keys if None not in key)
        shared = [at for at, key in enumerate(keys) if full[key] > 1]
        assert (counts[unique.code].checked, counts[unique.code].failed) == (sum(full.values()), len(shared))
        expected += [(unique.code, "duplicate", at, rows[at]["id"], _text(rows[at]["n"])) for at in shared]
    out = folder / "out" / "keys.parquet"
    lines = collect_keys(
        files=files, plan=plan, counts=list(counts.values()), keys=["id", "n"], destination=out, limits=LIMITS
    )
    found = [tuple(row.values()) for row in pq.read_table(out).to_pylist()]
    assert sorted(found, key=str) == sorted(expected, key=str) and lines == len(expected)
    assert [row[:1] + row[2:3] for row in found] == sorted(row[:1] + row[2:3] for row in found)
    assert [file.name for file in out.parent.iterdir()] == ["keys.parquet"]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@settings(max_examples=amount(small=20, full=1000), deadline=None, derandomize=True)
@given(rows=ROWS.filter(bool))
def test_block_conditions_quarantine_the_same_rows(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    blocking = [
        (Rule(r.code, r.kind, r.dimension, "block", r.columns, r.arguments), judge)
        for r, judge in RULES
        if r.kind != "id_region"
    ]
    conditions = block_conditions([r for r, _ in blocking], COLUMNS, {"dated": DATED}, on=ON)
    table = pa.table(
        {name: pa.array([{**row, "_record": 0}[name] for row in rows], kind) for name, kind in ARROW.items()}
    )
    with session(limits=LIMITS, temp=tmp_path_factory.mktemp("spill")) as duck:
        duck.register("t", table)
        found = duck.run("conditions", f"SELECT {', '.join(sql for _, sql in conditions)} FROM t")
    for row, answers in zip(rows, found, strict=True):
        expected = {f"{r.code}:{judge(row)}" for r, judge in blocking if judge(row)}
        assert {code for (code, _), answer in zip(conditions, answers, strict=True) if answer} == expected
        assert None not in answers


def test_no_rows_no_files_and_no_failures(tmp_path: Path) -> None:
    plan = compile_rules([RULES[0][0], *UNIQUE], COLUMNS, on=ON)
    counts = count_failures(files=[], plan=plan, limits=LIMITS)
    assert [(count.checked, count.failed, dict(count.reasons)) for count in counts] == [(0, 0, {})] * 3
    out = tmp_path / "keys.parquet"
    assert collect_keys(files=[], plan=plan, counts=counts, keys=["id", "rule"], destination=out, limits=LIMITS) == 0
    assert pq.read_schema(out).names == ["rule", "reason", "record", "id", "key_rule"]
    assert count_failures(files=[], plan=compile_rules([], COLUMNS, on=ON), limits=LIMITS) == ()


def test_severity_and_dimension_go_through_and_unique_blocks_are_told_apart() -> None:
    blocking = Rule("u", "unique", "accuracy", "block", ("sex", "n"))
    assert block_conditions([blocking, RULES[0][0]], COLUMNS, on=ON) == ()
    assert list_unique_blocks([blocking, *UNIQUE]) == (("u:duplicate", ("sex", "n")),)


def test_every_kind_explains_itself_in_both_languages() -> None:
    assert set(list_kinds()) == {"required", "citizen_id", "uscc", "organization_code", "licence_id", "in_code_set", "pattern", "length",
                                 "range", "date_range", "not_future", "unique", "expression", "id_birth_date", "id_gender", "id_region"}  # fmt: skip
    for code, kind in list_kinds().items():
        sentence = explain(Rule("r", code, kind.dimension, "warn", ("id", "born")[: max(1, kind.column_count[0])], {}))
        assert re.search("[一-鿿]", sentence["zh"]) and not re.search("[一-鿿]", sentence["en"])
        assert kind.dimension in FORMULAS
    assert set(FORMULAS) == {"normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility"}


REFUSED = [
    rule("nope"),
    rule("required"),
    rule("required", ("id", "n")),
    rule("required", ("absent",)),
    rule("citizen_id", ("n",)),
    rule("length", (NAME,)),
    rule("length", (NAME,), min=3, max=1),
    rule("length", (NAME,), min=-1),
    rule("length", (NAME,), min="a"),
    rule("range", ("n",)),
    rule("range", ("n",), min="x"),
    rule("range", ("n",), min="NaN"),
    rule("range", ("n",), max=True),
    rule("range", ("id",), max=1),
    rule("range", ("n",), max="1e999"),
    rule("date_range", ("born",)),
    rule("date_range", ("born",), min="2026-02-30"),
    rule("date_range", ("n",), min="2026-01-01"),
    rule("pattern", (NAME,)),
    rule("pattern", (NAME,), pattern="("),
    rule("pattern", (NAME,), pattern="(?=a)"),
    rule("pattern", (NAME,), pattern="a" * 2000),
    rule("in_code_set", ("sex",)),
    rule("in_code_set", ("sex",), code_set="absent"),
    rule("in_code_set", ("sex",), codes=[("1", "x", None)]),
    rule("in_code_set", ("sex",), codes=[1]),
    rule("in_code_set", ("sex",), codes=DATED, as_of="n"),
    rule("in_code_set", ("sex",), codes=[("1", "2026-01-01", "2026-01-01")]),
    rule("id_birth_date", ("id", "sex")),
    rule("id_gender", ("id", "n")),
    rule("id_gender", ("id", "sex"), male=[]),
    rule("id_region", ("id", "region"), digits=5),
    rule("expression", (), where=5),
    Rule("r", "id_region", "consistency", "block", ("id", "region")),
    rule("unique"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_rule_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(RuleRefused) as refused:
        compile_rules([REFUSED[number]], COLUMNS, on=ON)
    assert REFUSED[number].code in refused.value.say("zh") and "None of" not in refused.value.say("en")


def test_a_bad_expression_is_refused_with_its_place() -> None:
    with pytest.raises(ExpressionRefused, match="line 1, column 5"):
        compile_rules([rule("expression", (), where="n > absent")], COLUMNS, on=ON)
