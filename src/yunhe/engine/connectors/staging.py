"""Writing staged text: several lanes of Arrow IPC, receipt sums on the way, rejected records."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from yunhe.engine.casts import filled_sql, typed_sql
from yunhe.engine.duck import Session, session
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.receipt import ReceiptSum, sums_sql
from yunhe.engine.room import room_for
from yunhe.engine.types import RECORD_COLUMN, Column, Limits

REJECTED_SCHEMA = pa.schema(
    [("record", pa.int64()), ("offset", pa.int64()), ("reason", pa.string()), ("raw", pa.large_binary())]
)


@dataclass(slots=True)
class RejectedWriter:
    """Keeps what cannot be read as a record: number, byte offset, reason and the raw bytes."""

    path: Path
    reasons: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    _writer: pq.ParquetWriter | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, rows: Sequence[tuple[int, int, str, bytes]]) -> None:
        """Append rejected records: (record, offset, reason, raw)."""
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, REJECTED_SCHEMA, strict=True)]
        with self._lock, room_for(self.path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, REJECTED_SCHEMA, compression="zstd")
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=REJECTED_SCHEMA))
            self.rows += len(rows)
            for reason in columns[2]:
                self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def close(self) -> Path | None:
        """Finish the file; return its path, or None if nothing was rejected."""
        if self._writer is None:
            return None
        with room_for(self.path):
            self._writer.close()
        return self.path


class StageWriter:
    """Writes text tables from several threads, one lane (file, session of one thread) per thread.

    A lane's session has one thread of its own: a block is too small to be shared, and threads of
    a common pool wait for each other (measured: twice the processor time).
    """

    def __init__(self, folder: Path, columns: Sequence[Column], keys: Sequence[str], limits: Limits) -> None:
        names = [column.name for column in columns]
        self._folder = folder
        self._schema = pa.schema([(RECORD_COLUMN, pa.int64()), *((name, pa.string()) for name in names)])
        self._sums = {plain: sums_sql(names, "block", plain=plain) for plain in (True, False)}
        self._marks = marks_sql(columns, keys, "block") if keys else ""
        self._limits = replace(limits, threads=1, seconds=0)
        self._lanes: dict[int, _Lane] = {}
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def write(self, table: pa.Table, *, plain: bool) -> None:
        """Append one table (`_record`, the declared columns in order, no nulls) and sum its receipt.

        `plain`: no text holds U+001E or U+001F.
        """
        lane = self._lane()
        lane.session.register("block", table)
        try:
            rows, high, low = lane.session.run("receipt", self._sums[plain])[0]
            if self._marks:
                marks = lane.session.fetch_arrow("key_marks", self._marks).column(0)
                with room_for(lane.path):
                    lane.marks.write(marks.to_numpy().tobytes())
        finally:
            lane.session.unregister("block")
        lane.sums.add(ReceiptSum(int(rows), int(high or 0), int(low or 0)))
        with room_for(lane.path):
            lane.writer.write_table(table.cast(self._schema))

    def close(self) -> Lanes:
        """Finish every lane; return what they hold."""
        total = ReceiptSum()
        with room_for(self._folder):
            self._stack.close()
        for lane in self._lanes.values():
            total.add(lane.sums)
        lanes = tuple(self._lanes.values())
        return Lanes(tuple(lane.path for lane in lanes), tuple(lane.marks_path for lane in lanes), total)

    def _lane(self) -> _Lane:
        me = threading.get_ident()
        with self._lock:
            if me not in self._lanes:
                path = self._folder / f"stage-{len(self._lanes)}.arrows"
                sink = self._stack.enter_context(pa.OSFile(str(path), "wb"))
                writer = self._stack.enter_context(pa.ipc.new_stream(sink, self._schema))
                marks = self._stack.enter_context(path.with_suffix(".marks").open("wb"))
                own = self._stack.enter_context(session(limits=self._limits, temp=self._folder / "spill"))
                self._lanes[me] = _Lane(path, path.with_suffix(".marks"), writer, marks, own, ReceiptSum())
            return self._lanes[me]


@dataclass(frozen=True, slots=True)
class Lanes:
    """What was staged: text files, key mark files, sums."""

    files: tuple[Path, ...]
    marks: tuple[Path, ...]
    sums: ReceiptSum


@dataclass(slots=True)
class _Lane:
    path: Path
    marks_path: Path
    writer: pa.ipc.RecordBatchStreamWriter
    marks: BinaryIO
    session: Session
    sums: ReceiptSum


def marks_sql(columns: Sequence[Column], keys: Sequence[str], relation: str) -> str:
    """Return the SQL giving `mark`, a hash of the typed key, of every record whose key is complete."""
    by_name = {column.name: column for column in columns}
    typed = []
    for index, key in enumerate(keys):
        column = by_name[key]
        typed.append(f"{typed_sql(column, filled_sql(column, quote_identifier(key)))} AS k{index}")
    names = [f"k{index}" for index in range(len(keys))]
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    return f"SELECT hash({', '.join(names)}) AS mark FROM (SELECT {', '.join(typed)} FROM {relation}) WHERE {present}"
