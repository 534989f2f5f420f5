"""The Parquet connector: typed columns, read as text, so that every source has one canonical form.

How values are written as text: dates YYYY-MM-DD, timestamps `YYYY-MM-DD HH:MM:SS[.ffffff]` (with
`+00` if the file says UTC), booleans true/false, decimals with all their decimals, and floating
numbers that are whole (within 2^53) without a point: exports of integers with gaps are often
floating. NULL and the empty text are the same. Columns that nest or hold bytes are refused if the
contract names them. There are no options.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from yunhe.crypto import sm3
from yunhe.engine.connectors import Staged, source_file
from yunhe.engine.connectors.names import check_columns, check_names
from yunhe.engine.connectors.profiles import profile_columns
from yunhe.engine.connectors.staging import StageWriter
from yunhe.engine.duck import Session, session
from yunhe.engine.errors import OptionInvalid, SourceChanged, SourceUnreadable
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import RECORD_COLUMN, Check, Column, Limits, Progress, Shape, SourceSpec

_BATCH_ROWS: Final = 100_000
_SAMPLE_ROWS: Final = 2000
_DIGEST_BYTES: Final = 8 << 20


class ParquetConnector:
    """Reads Parquet files."""

    kind = "parquet"

    def probe(self, spec: SourceSpec, *, limits: Limits) -> Shape:
        """Return the file's columns and what a sample of its first rows seems to hold."""
        path = _path(spec)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(_readable(path))
            file = stack.enter_context(pq.ParquetFile(path))
            duck = stack.enter_context(session(limits=limits, temp=folder))
            names = check_names(path, file.schema_arrow.names, delimiter="")
            kinds = [name for name in names if _is_plain(file.schema_arrow.field(name).type)]
            batch = next(file.iter_batches(_SAMPLE_ROWS, columns=kinds), None)
            sample = None if batch is None else _as_text(duck, pa.table(batch), kinds)
        profiles = () if sample is None else profile_columns(sample, limits=limits)
        return Shape(names, "", "", path.stat().st_size, profiles)

    def stage(
        self,
        spec: SourceSpec,
        columns: Sequence[Column],
        keys: Sequence[str],
        *,
        work: Path,
        limits: Limits,
        progress: Progress,
        check: Check,
    ) -> Staged:
        """Stage the declared columns of every row; the file's footer is the independent count.

        Raises: SourceUnreadable for a torn file, a text that is not UTF-8, a column that nests.
        """
        path = _path(spec)
        before = path.stat()
        with _readable(path), pq.ParquetFile(path) as file, ExitStack() as stack:
            names = check_names(path, file.schema_arrow.names, delimiter="")
            ignored = check_columns(path, names, columns)
            _check_types(path, file.schema_arrow, columns)
            writer = StageWriter(work, columns, keys, limits)
            stack.callback(writer.close)
            duck = stack.enter_context(session(limits=limits, temp=work / "spill"))
            records = file.metadata.num_rows
            for done, table in _tables(file, duck, columns):
                check()
                writer.write(table, plain=False)
                progress(done, records, "reading")
            lanes = writer.close()
        digest = _digest(path, check)
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceChanged(location=str(path))
        return Staged(
            files=lanes.files,
            marks=lanes.marks,
            records=records,
            sums=lanes.sums,
            rejected=0,
            rejected_file=None,
            rejected_reasons={},
            bytes=before.st_size,
            file_digest=digest,
            encoding="",
            ignored_columns=ignored,
        )


def _tables(file: pq.ParquetFile, duck: Session, columns: Sequence[Column]) -> Iterator[tuple[int, pa.Table]]:
    sources = [column.source_name for column in columns]
    done = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(sources))):
        if not batch.num_rows:
            continue
        batch.validate(full=True)
        text = _as_text(duck, pa.table(batch), sources)
        numbers = pa.array(range(done + 1, done + 1 + batch.num_rows), pa.int64())
        done += batch.num_rows
        yield done, pa.table([numbers, *text.columns], names=[RECORD_COLUMN, *(column.name for column in columns)])


def _as_text(duck: Session, table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return the named columns as non-null text, in the order of the rows."""
    casts = [f"coalesce({_text_sql(table.schema.field(name).type, name)}, '') AS c{index}"
             for index, name in enumerate(names)]  # fmt: skip
    duck.register("rows", table)
    try:
        # row order matters: the numbers of the records are put beside the result
        text = duck.fetch_arrow("as_text", f"SELECT {', '.join(casts)} FROM rows", ordered=True)
    finally:
        duck.unregister("rows")
    return text.rename_columns(list(names))


def _text_sql(kind: pa.DataType, name: str) -> str:
    value = quote_identifier(name)
    if not pa.types.is_floating(kind):
        return f"CAST({value} AS VARCHAR)"
    whole = f"isfinite({value}) AND {value} = trunc({value}) AND abs({value}) <= 9007199254740992"
    return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    checks = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer,
        pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_date,
        pa.types.is_timestamp, pa.types.is_time, pa.types.is_null,
    )  # fmt: skip
    return any(check(kind) for check in checks)


def _check_types(path: Path, schema: pa.Schema, columns: Sequence[Column]) -> None:
    for column in columns:
        kind = schema.field(column.source_name).type
        if not _is_plain(kind):
            problem = f"column {column.source_name} has type {kind}, which is no single value"
            raise SourceUnreadable(location=str(path), connector="parquet", problem=problem)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        # Arrow's sentence may quote a value: only the kind of fault goes on.
        problem = "not a Parquet file, torn, or holding text that is not UTF-8"
        raise SourceUnreadable(location=str(path), connector="parquet", problem=problem) from error


def _digest(path: Path, check: Check) -> str:
    hasher = sm3.new()
    with path.open("rb") as file:
        while part := file.read(_DIGEST_BYTES):
            hasher.update(part)
            check()
    return hasher.hexdigest()


def _path(spec: SourceSpec) -> Path:
    for option, found in spec.options.items():
        if (option, found) not in {("encoding", "auto"), ("delimiter", "auto")}:
            raise OptionInvalid(option=option, expected="no options for parquet", found=found)
    return source_file(spec)


CONNECTOR = ParquetConnector()
