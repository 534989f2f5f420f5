"""Random tables against a plain interpretation of their cells: decide, SQL, gaps, overlaps, DMN."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.engine.decisions import (
    InputRefused,
    NoRuleMatched,
    RulesDisagree,
    SeveralRulesMatched,
    Table,
    analyse,
    declaration_of,
    read_dmn,
    read_table,
    rules_of,
    write_dmn,
)
from yunhe.engine.duck import session
from yunhe.engine.types import Limits

DAY = date(2026, 1, 1)
# Ends that cells name, and values that stand for everything there is: ends, between, beyond, unknown.
ENDS: dict[str, list[Any]] = {
    "integer": [0, 1, 2, 4], "decimal": [Decimal(0), Decimal("0.5"), Decimal("1.0")],
    "date": [DAY + timedelta(days) for days in (0, 1, 3)], "boolean": [True, False], "string": ["a", "not(b", 'c,"'],
}  # fmt: skip
ALL: dict[str, list[Any]] = {
    "integer": [None, *range(-1, 6)], "decimal": [None, *(Decimal(step) / 4 for step in range(-1, 6))],
    "date": [None, *(DAY + timedelta(days) for days in range(-1, 5))], "boolean": [None, True, False],
    "string": [None, "a", "not(b", 'c,"', "z", ""],
}  # fmt: skip
DATES = [DAY + timedelta(days) for days in range(-1, 5)]
ALL_DATES = [DAY + timedelta(days) for days in range(-2, 6)]  # those before, between and after
ARROW = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(19, 6),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}


@dataclass(frozen=True)
class Plain:
    """The test's own form of a cell: `tests` are (sign, value…); it shares no code with the engine."""

    tests: tuple[tuple[Any, ...], ...] = ()
    shape: str = "any"  # any, list, not

    def text(self) -> str:
        parts = ", ".join(self._text(test) for test in self.tests)
        return {"any": "-", "list": parts, "not": f"not({parts})"}[self.shape]

    def met(self, value: Any) -> bool:
        if self.shape == "any":
            return True
        if value is None:
            return self.shape == "list" and ("null",) in self.tests
        return any(self._holds(test, value) for test in self.tests) == (self.shape == "list")

    @staticmethod
    def _text(test: tuple[Any, ...]) -> str:
        sign, *ends = test
        written = ['"' + end.replace('"', '\\"') + '"' if isinstance(end, str) else str(end).lower() for end in ends]
        if sign == "null":
            return "null"
        return (
            written[0]
            if sign == "="
            else f"{sign[0]}{written[0]}..{written[1]}{sign[1]}"
            if len(ends) > 1
            else sign + written[0]
        )

    @staticmethod
    def _holds(test: tuple[Any, ...], value: Any) -> bool:
        match test:
            case ("null",):
                return False
            case ("=", end):
                return bool(value == end)
            case ("<", end):
                return bool(value < end)
            case ("<=", end):
                return bool(value <= end)
            case (">", end):
                return bool(value > end)
            case (">=", end):
                return bool(value >= end)
            case (sign, low, high):
                below = value < low or (value == low and sign[0] == "(")
                above = value > high or (value == high and sign[1] == ")")
                return not below and not above
        raise AssertionError


@dataclass(frozen=True)
class World:
    """A random table in the test's own form."""

    hit: str
    kinds: tuple[str, ...]
    rules: tuple[tuple[tuple[Plain, ...], int, tuple[date | None, date | None]], ...]
    default: bool

    def table(self) -> Table:
        inputs = {f"i{at}": kind for at, kind in enumerate(self.kinds)}
        out: dict[str, Any] = {"type": "integer"}
        out |= {"default": 9} if self.default else {}
        out |= {"values": [2, 1, 3, 9]} if self.hit in ("priority", "output_order") else {}
        lines = [",".join([*(f"in:{name}" for name in inputs), "out:x", "from", "until"])]
        for cells, result, dates in self.rules:
            texts = [*(cell.text() for cell in cells), str(result), *(str(day) if day else "" for day in dates)]
            lines.append(",".join('"' + text.replace('"', '""') + '"' for text in texts))
        return read_table({"name": "t", "hit": self.hit, "inputs": inputs, "outputs": {"x": out}}, "\n".join(lines))

    def hits(self, values: tuple[Any, ...], on: date) -> list[tuple[int, int]]:
        """Return row and result of every rule that matches."""
        return [
            (row, result)
            for row, (cells, result, (start, end)) in enumerate(self.rules, start=2)
            if (start is None or start <= on) and (end is None or on < end)
            if all(cell.met(value) for cell, value in zip(cells, values, strict=True))
        ]

    def answer(self, values: tuple[Any, ...], on: date) -> Any:
        """Return the result, or the error that is due."""
        hits = self.hits(values, on)
        results = [result for _, result in hits]
        if not hits and self.default:
            return 9
        if self.hit in ("rule_order", "collect"):
            return tuple(results)
        if self.hit == "output_order":
            return tuple(result for value in (2, 1, 3) for result in results if result == value)
        if self.hit.startswith("collect_"):
            if self.hit == "collect_count":
                return len(results)
            return {"sum": sum, "min": min, "max": max}[self.hit[8:]](results) if results else None  # type: ignore[operator]
        if not hits:
            return NoRuleMatched
        if self.hit == "unique" and len(hits) > 1:
            return SeveralRulesMatched
        if self.hit == "any" and len(set(results)) > 1:
            return RulesDisagree
        return min(results, key=[2, 1, 3].index) if self.hit == "priority" else results[0]


def _cells(kind: str) -> st.SearchStrategy[Plain]:
    end = st.sampled_from(ENDS[kind])
    tests: st.SearchStrategy[Any] = st.tuples(st.just("="), end) | st.just(("null",))
    if kind not in ("string", "boolean"):
        ranges = st.sampled_from(list(itertools.combinations(ENDS[kind], 2)))
        signs = st.sampled_from(["[]", "[)", "(]"] if kind != "decimal" else ["[]", "[)", "(]", "()"])
        tests |= st.tuples(st.sampled_from(["<", "<=", ">", ">="]), end)
        tests |= st.tuples(signs, ranges).map(lambda pair: (pair[0], *pair[1]))
    several = st.lists(tests, min_size=1, max_size=3).map(tuple)
    return st.just(Plain()) | st.builds(Plain, several, st.sampled_from(["list", "list", "not"]))


@st.composite
def worlds(draw: Any, *, hits: tuple[str, ...], most: int = 3) -> World:
    kinds = tuple(draw(st.lists(st.sampled_from(sorted(ENDS)), min_size=1, max_size=most)))
    day = st.none() | st.sampled_from(DATES)
    dates = st.just((None, None)) | st.tuples(day, day).filter(lambda pair: None in pair or pair[0] < pair[1])
    rule = st.tuples(st.tuples(*map(_cells, kinds)), st.integers(1, 3), dates)
    rules = draw(st.lists(rule, min_size=1, max_size=6))
    return World(draw(st.sampled_from(hits)), kinds, tuple(rules), draw(st.booleans()))


def records(world: World) -> list[tuple[Any, ...]]:
    return list(itertools.product(*(ALL[kind] for kind in world.kinds)))


def named(values: tuple[Any, ...]) -> dict[str, Any]:
    return {f"i{at}": value for at, value in enumerate(values)}


EVERY = ("unique", "first", "any", "priority", "rule_order", "output_order",
         "collect", "collect_sum", "collect_min", "collect_max", "collect_count")  # fmt: skip


@settings(max_examples=amount(small=120, full=2000))
@given(world=worlds(hits=EVERY))
def test_decide_agrees_with_a_plain_reading_of_the_cells(world: World) -> None:
    table = world.table()
    for values in records(world):
        on = DATES[hash(values) % len(DATES)]
        expected = world.answer(values, on)
        if isinstance(expected, type):
            with pytest.raises(expected):
                table.decide(named(values), on=on)
            continue
        decision = table.decide(named(values), on=on)
        assert decision.outputs["x"] == expected
        rows = [row for row, _ in world.hits(values, on)]
        if world.hit == "output_order":
            assert sorted(rule.row for rule in decision.hits) == rows
            assert tuple(rule.outputs[0] for rule in decision.hits) == (expected if rows else ())
        elif world.hit not in ("first", "priority"):
            assert [rule.row for rule in decision.hits] == rows


@settings(max_examples=amount(small=40, full=500))
@given(world=worlds(hits=("unique", "first", "priority")))
def test_sql_agrees_with_the_closure(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    table, rows = world.table(), records(world)
    population = pa.table({"nr": range(len(rows))} | {
        f"i{at}": pa.array([row[at] for row in rows], ARROW[kind]) for at, kind in enumerate(world.kinds)})  # fmt: skip
    for on in (DATES[0], DATES[3]):
        sql = f"SELECT {table.rule_sql(on=on)}, {table.sql('x', on=on)} FROM population ORDER BY nr"
        for values, found in zip(rows, _run(sql, population, tmp_path_factory.getbasetemp()), strict=True):
            assert found == _decided(table, named(values), on)


def _run(sql: str, population: pa.Table, temp: Path) -> list[tuple[Any, ...]]:
    with session(limits=Limits(), temp=temp) as duck:
        duck.register("population", population)
        return duck.run("decide", sql)


def _decided(table: Table, record: dict[str, Any], on: date) -> tuple[Any, Any]:
    try:
        decision = table.decide(record, on=on)
    except InputRefused:
        return None, None
    except NoRuleMatched:
        return 0, None
    except SeveralRulesMatched:
        return -1, None
    return (decision.hits[0].row if decision.hits else 0), decision.outputs["x"]


def test_sql_agrees_on_expressions_faults_limits_and_wide_decimals(tmp_path: Path) -> None:
    header = {
        "name": "t", "hit": "first", "fields": {"s": "string", "x": "decimal", "n": "integer"},
        "inputs": {"cast": {"type": "integer", "expression": "CAST(s AS INTEGER)"}, "n": {"type": "integer", "values": "not(7)"},
                   "double": {"type": "decimal", "expression": "x * 2"}},
        "outputs": {"x": {"type": "decimal", "default": "0.125"}},
    }  # fmt: skip
    rules = 'in:cast,in:n,in:double,out:x\n"1, 2",-,-,1.5\n-,> 5,<= 0.0000000001,\n-,not(6),"not(0.2, > 99.125)",123456789.25\n'
    table = read_table(header, rules)
    rows = [
        (s, n, x)
        for s in (None, "1", "3", "x")
        for n in (None, 5, 6, 7)
        for x in (None, *map(Decimal, ("-1", "0.1", "49.5625")))
    ]
    population = pa.table({"nr": range(len(rows)), "s": [row[0] for row in rows], "n": pa.array([row[1] for row in rows], pa.int64()),
                           "x": pa.array([row[2] for row in rows], pa.decimal128(19, 6))})  # fmt: skip
    sql = f"SELECT {table.rule_sql(on=DAY)}, {table.sql('x', on=DAY)} FROM population ORDER BY nr"
    found = _run(sql, population, tmp_path)
    assert found == [_decided(table, dict(zip("snx", row, strict=True)), DAY) for row in rows]
    assert {row for row, _ in found} == {None, 0, 2, 3, 4}


@settings(max_examples=amount(small=120, full=2000))
@given(world=worlds(hits=("unique", "collect")))
def test_gaps_and_overlaps_are_those_of_brute_force(world: World) -> None:
    found = analyse(world.table())
    points = [(values, on) for values in records(world) for on in ALL_DATES]
    hits = {point: world.hits(*point) for point in points}
    assert not found.too_large
    assert bool(found.gaps) == any(not rows for rows in hits.values())
    for gap in found.gaps:
        assert world.hits(tuple(gap[name] for name in named(world.kinds)), gap["on"]) == []  # type: ignore[arg-type]
    pairs = {pair for rows in hits.values() for pair in itertools.combinations(rows, 2)}
    listed = {
        ((each.first.row, each.first.outputs[0]), (each.second.row, each.second.outputs[0])): each
        for each in found.overlaps
    }
    assert set(listed) == pairs
    for pair, each in listed.items():
        assert each.differs == (pair[0][1] != pair[1][1])
        assert set(pair) <= set(
            world.hits(tuple(each.witness[name] for name in named(world.kinds)), each.witness["on"])
        )  # type: ignore[arg-type]


@settings(max_examples=amount(small=60, full=1000))
@given(world=worlds(hits=("first",)), on=st.sampled_from(ALL_DATES))
def test_gaps_on_one_date_are_those_of_brute_force(world: World, on: date) -> None:
    found = analyse(world.table(), on=on)
    assert bool(found.gaps) == any(not world.hits(values, on) for values in records(world))
    assert all(gap["on"] == on for gap in found.gaps)


@settings(max_examples=amount(small=120, full=2000))
@given(world=worlds(hits=("first",)), on=st.sampled_from((None, *ALL_DATES)))
def test_rules_that_never_win_are_those_of_brute_force(world: World, on: date | None) -> None:
    found = analyse(world.table(), on=on)
    days = ALL_DATES if on is None else (on,)
    hits = [rows for values in records(world) for day in days if (rows := world.hits(values, day))]
    periods = [(start or date.min, end or date.max) for _, _, (start, end) in world.rules]
    in_force = {row for row, (start, end) in enumerate(periods, start=2) if any(start <= day < end for day in days)}
    assert not found.too_large
    assert {rule.row for rule in found.unreached} == in_force - {rows[0][0] for rows in hits}


@settings(max_examples=amount(small=60, full=1000))
@given(world=worlds(hits=EVERY))
def test_dmn_round_trip_keeps_the_digest(world: World) -> None:
    table = world.table()
    imported = read_dmn(write_dmn(table))
    assert imported.unsupported == ()
    assert imported.table is not None and imported.table.digest == table.digest


@settings(max_examples=amount(small=60, full=1000))
@given(world=worlds(hits=EVERY))
def test_what_a_pack_holds_reads_back_with_the_same_digest(world: World) -> None:
    table = world.table()
    assert read_table(declaration_of(table), rules_of(table)).digest == table.digest


def test_sql_of_a_column_of_nothing_has_its_type(tmp_path: Path) -> None:
    outputs = {"a": "decimal", "b": "string", "c": "date"}
    table = read_table({"name": "t", "inputs": {"n": "integer"}, "outputs": outputs}, "in:n,out:a,out:b,out:c\n1,,,\n")
    types = ", ".join(f"typeof({table.sql(name, on=DAY)})" for name in outputs)
    population = pa.table({"n": [1]})
    assert _run(f"SELECT {types} FROM population", population, tmp_path) == [("DECIMAL(38,0)", "VARCHAR", "DATE")]


def pigeonholes(holes: int) -> Table:
    """Return a complete table that is hard to see through: some pigeon has no hole, or two share one."""
    spots = [(pigeon, hole) for pigeon in range(holes + 1) for hole in range(holes)]
    inputs = {f"p{pigeon}_{hole}": {"type": "boolean", "values": "not(null)"} for pigeon, hole in spots}
    rows = [["false" if spot[0] == pigeon else "-" for spot in spots] for pigeon in range(holes + 1)]
    rows += [["true" if spot in ((one, hole), (other, hole)) else "-" for spot in spots]
             for hole in range(holes) for one, other in itertools.combinations(range(holes + 1), 2)]  # fmt: skip
    lines = [[*(f"in:{name}" for name in inputs), "out:x"], *([*row, "1"] for row in rows)]
    header = {"name": "t", "hit": "any", "inputs": inputs, "outputs": {"x": "integer"}}
    return read_table(header, "\n".join(map(",".join, lines)))


def test_a_hard_table_is_seen_through_and_a_harder_one_is_called_too_large() -> None:
    easy = analyse(pigeonholes(4), on=DAY)
    assert easy.gaps == () and not easy.too_large
    assert analyse(pigeonholes(7), on=DAY, most=20_000).too_large


def test_fifty_wide_rules_are_analysed() -> None:
    inputs = {f"i{at}": {"type": "integer", "values": "[0..9]"} for at in range(8)}
    rows = [
        [f"[{row}..{row}]" if at == 0 else "< 5" if (row + at) % 2 else ">= 0" for at in range(8)] for row in range(10)
    ]
    closed = [[str(row)] + ["-"] * 7 for row in range(10)]
    text = "\n".join(
        [",".join([*(f"in:{name}" for name in inputs), "out:x"]), *(",".join([*row, "1"]) for row in rows + closed)]
    )
    found = analyse(
        read_table({"name": "t", "hit": "any", "inputs": inputs, "outputs": {"x": "integer"}}, text), on=DAY
    )
    assert found.gaps == () and len(found.overlaps) == 10 and not found.too_large
    assert not any(each.differs for each in found.overlaps)
