"""Generate the demonstration city's sources: three departments' files with about 1 % planted errors.

Same people and seed: same bytes. Rows stream; memory does not grow with the city. Beside the sources lie
`truth.json` (counts per planted kind and fate) and `truth.csv` (every planted record with its number).
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from yunhe.cli.demo.people import MOST_PEOPLE, enterprise_at, marriage_at, person_at
from yunhe.cli.demo.planted import BY_SOURCE, Error, Row
from yunhe.kernel.errors import Terminal

DEFAULT_PEOPLE = 2000
DEFAULT_SEED = 320900
ERROR_SHARE = 0.01
FEWEST_PEOPLE = 100
BATCH_ROWS = 20_000
PROGRESS_ROWS = 20_000

# done, total, note
Progress = Callable[[int, int, str], None]


class BadCitySize(Terminal):
    """The asked number of people cannot be made."""

    code = "bad_city_size"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "演示城市的人数需要在 {least} 到 {most} 之间，实际是 {found}。请改 --people 后重试。",
        "en": "The demonstration city takes {least} to {most} people, found {found}. Change --people and try again.",
    }


@dataclass(slots=True)
class SourceTruth:
    """What was written into one source. Always rows = kept + quarantined + rejected, header not counted."""

    source: str
    file: str
    encoding: str
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    rejected: int = 0
    planted: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CityTruth:
    """The truth about a generated city, by source."""

    people: int
    seed: int
    sources: dict[str, SourceTruth]


class _Writer(Protocol):
    def write(self, row: Row, error: Error | None) -> None: ...


def sources_folder(home: Path) -> Path:
    """Return where a node keeps the generated sources; `{demo}` in a demo contract stands for it."""
    return home / "demo" / "sources"


def generate_city(*, folder: Path, people: int, seed: int, progress: Progress | None = None) -> CityTruth:
    """Write the sources of a city of `people` persons into `folder` and return the truth about them.

    Shape: population.csv (GB18030), enterprises.csv (UTF-8), marriages.parquet, truth.json, truth.csv.
    Raises: BadCitySize.
    """
    if not FEWEST_PEOPLE <= people <= MOST_PEOPLE:
        raise BadCitySize(least=FEWEST_PEOPLE, most=MOST_PEOPLE, found=people)
    folder.mkdir(parents=True, exist_ok=True)
    plans = _plans(folder, people, seed)
    total = sum(plan.count for plan in plans)
    report = _Counting(progress or _silent, total)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("source", "record", "kind", "fate"))
        truths = {plan.truth.source: _write_source(plan, seed, lines, report) for plan in plans}
    city = CityTruth(people=people, seed=seed, sources=truths)
    (folder / "truth.json").write_text(json.dumps(asdict(city), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return city


@dataclass(frozen=True, slots=True)
class _Plan:
    truth: SourceTruth
    count: int
    row_at: Callable[[int], Row]
    open_writer: Callable[[ExitStack, Sequence[str]], _Writer]


def _plans(folder: Path, people: int, seed: int) -> tuple[_Plan, ...]:
    firms, couples = max(50, people // 10), max(50, people // 8)

    def csv_into(name: str, encoding: str) -> Callable[[ExitStack, Sequence[str]], _Writer]:
        return lambda stack, columns: _CsvWriter(stack, folder / name, encoding, columns)

    return (
        _Plan(
            SourceTruth("population", "population.csv", "gb18030"), people,
            lambda index: _population_row(seed, index), csv_into("population.csv", "gb18030"),
        ),
        _Plan(
            SourceTruth("enterprises", "enterprises.csv", "utf-8"), firms,
            lambda index: _enterprise_row(seed, index, people), csv_into("enterprises.csv", "utf-8"),
        ),
        _Plan(
            SourceTruth("marriages", "marriages.parquet", ""), couples,
            lambda index: _marriage_row(seed, index, people),
            lambda stack, columns: _ParquetWriter(stack, folder / "marriages.parquet", columns),
        ),
    )  # fmt: skip


def _write_source(plan: _Plan, seed: int, lines: Any, report: _Counting) -> SourceTruth:
    truth = plan.truth
    planted: Counter[str] = Counter()
    errors = _places(truth.source, plan.count, seed)
    with ExitStack() as stack:
        writer = plan.open_writer(stack, tuple(plan.row_at(0)))
        for index in range(plan.count):
            error = errors.get(index)
            row = plan.row_at(index)
            if error is not None and error.spoil is not None:
                row = error.spoil(row)
            for _ in range(error.copies if error else 1):
                writer.write(row, error)
                truth.rows += 1
                if error is not None:
                    lines.writerow((truth.source, truth.rows, error.kind, error.fate))
            _count_fate(truth, error)
            if error is not None:
                planted[error.kind] += 1
            report.one(truth.file)
    truth.planted = dict(sorted(planted.items()))
    return truth


def _count_fate(truth: SourceTruth, error: Error | None) -> None:
    fate, copies = (error.fate, error.copies) if error else ("kept", 1)
    setattr(truth, fate, getattr(truth, fate) + copies)


def _places(source: str, count: int, seed: int) -> dict[int, Error]:
    """Choose which rows are spoilt and how: every kind at least once, about 1 % in all."""
    kinds = BY_SOURCE[source]
    wanted = max(len(kinds), round(count * ERROR_SHARE))
    places = random.Random(f"{seed}:{source}").sample(range(count), wanted)
    return {place: kinds[number % len(kinds)] for number, place in enumerate(places)}


def _population_row(seed: int, index: int) -> Row:
    person = person_at(seed=seed, index=index)
    return {
        "公民身份号码": person.citizen_id,
        "姓名": person.name,
        "性别代码": person.gender,
        "出生日期": person.birth_date.isoformat(),
        "户籍区划": person.region,
        "住址": person.address,
        "移动电话": person.mobile,
        "更新时间": person.updated_at.isoformat(sep=" "),
    }


def _enterprise_row(seed: int, index: int, people: int) -> Row:
    firm = enterprise_at(seed=seed, index=index, people=people)
    return {
        "统一社会信用代码": firm.uscc,
        "企业名称": firm.name,
        "企业类型": firm.form,
        "法定代表人": firm.legal_person,
        "注册资本（万元）": firm.capital,
        "成立日期": firm.registered_on.isoformat(),
        "登记机关区划": firm.region,
        "登记状态": firm.status,
    }


def _marriage_row(seed: int, index: int, people: int) -> Row:
    marriage = marriage_at(seed=seed, index=index, people=people)
    return {
        "登记字号": marriage.number,
        "男方身份号码": marriage.husband_id,
        "男方姓名": marriage.husband_name,
        "女方身份号码": marriage.wife_id,
        "女方姓名": marriage.wife_name,
        "登记日期": marriage.registered_on.isoformat(),
        "登记机关区划": marriage.region,
    }


class _CsvWriter:
    """Lines in one encoding; a raw error is made on the encoded line."""

    def __init__(self, stack: ExitStack, path: Path, encoding: str, columns: Sequence[str]) -> None:
        self._file = stack.enter_context(path.open("wb"))
        self._encoding = encoding
        self._file.write(self._line(columns))

    def write(self, row: Row, error: Error | None) -> None:
        line = self._line(tuple(row.values()))
        self._file.write(error.raw(line) if error is not None and error.raw is not None else line)

    def _line(self, values: Sequence[str]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(values)
        return text.getvalue().encode(self._encoding)


class _ParquetWriter:
    """Text columns in row groups of BATCH_ROWS; an empty value is a null, as a database exports it."""

    def __init__(self, stack: ExitStack, path: Path, columns: Sequence[str]) -> None:
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._file = stack.enter_context(pq.ParquetWriter(path, self._schema, compression="zstd"))
        self._rows: list[Row] = []
        stack.callback(self._flush)  # leaves before the file does

    def write(self, row: Row, error: Error | None) -> None:
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            columns = [[row[name] or None for row in self._rows] for name in self._schema.names]
            self._file.write_table(pa.table(columns, schema=self._schema))
            self._rows.clear()


class _Counting:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def one(self, note: str) -> None:
        self._done += 1
        if self._done % PROGRESS_ROWS == 0 or self._done == self._total:
            self._progress(self._done, self._total, note)


def _silent(done: int, total: int, note: str) -> None:
    """Nobody wants to hear about the progress."""


def read_truth(folder: Path) -> CityTruth:
    """Return the truth that `generate_city` left in `folder`."""
    content = json.loads((folder / "truth.json").read_text("utf-8"))
    sources = {name: SourceTruth(**value) for name, value in content["sources"].items()}
    return CityTruth(people=content["people"], seed=content["seed"], sources=sources)


def planted_records(folder: Path) -> Iterator[tuple[str, int, str, str]]:
    """Yield (source, record number from 1, kind, fate) of every planted record."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["source"], int(row["record"]), row["kind"], row["fate"]
