"""Staging a CSV file: one thread finds records, others parse them, one digests the bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from yunhe.crypto import sm3
from yunhe.engine.connectors import Staged
from yunhe.engine.connectors.csv.blocks import Block, CsvSource, parse_records, read_blocks, rejected_rows
from yunhe.engine.connectors.csv.records import GOOD, REASONS
from yunhe.engine.connectors.staging import RejectedWriter, StageWriter
from yunhe.engine.errors import SourceChanged
from yunhe.engine.types import RECORD_COLUMN, Check, Column, Limits, Progress

REJECTED_FILE = "rejected.parquet"


def stage_file(
    source: CsvSource,
    *,
    columns: Sequence[Column],
    keys: Sequence[str],
    ignored: tuple[str, ...],
    work: Path,
    limits: Limits,
    progress: Progress,
    check: Check,
) -> Staged:
    """Stage every readable record of an opened CSV file.

    Raises: SourceChanged if the file is not the one that was opened; DiskFull; LoadDoesNotReconcile.
    Cost: memory for `threads` + 2 blocks of 8 MiB and their tables.
    """
    rejected = RejectedWriter(work / REJECTED_FILE)
    with ExitStack() as stack:
        writer = StageWriter(work, columns, keys, limits)
        stack.callback(writer.close)
        stack.callback(rejected.close)
        run = _Run(source, columns, writer, rejected, progress, check)
        digest, records = run.read_all(limits.threads)
        lanes = writer.close()
        rejected_file = rejected.close()
    status = source.path.stat()
    if (status.st_size, status.st_mtime_ns) != source.changed:
        raise SourceChanged(location=str(source.path))
    return Staged(
        files=lanes.files,
        marks=lanes.marks,
        records=records,
        sums=lanes.sums,
        rejected=rejected.rows,
        rejected_file=rejected_file,
        rejected_reasons=rejected.reasons,
        bytes=source.size,
        file_digest=digest,
        encoding=source.encoding,
        ignored_columns=ignored,
    )


class _Run:
    def __init__(
        self,
        source: CsvSource,
        columns: Sequence[Column],
        writer: StageWriter,
        rejected: RejectedWriter,
        progress: Progress,
        check: Check,
    ) -> None:
        self._source = source
        self._columns = columns
        self._writer = writer
        self._rejected = rejected
        self._progress = progress
        self._check = check

    def read_all(self, threads: int) -> tuple[str, int]:
        """Read the file to its end; return the digest of its bytes and the count of its records."""
        hasher, records = sm3.new(), 0
        with ThreadPoolExecutor(1) as digesting, ThreadPoolExecutor(threads) as parsing:
            waiting: deque[Future[None]] = deque()
            digests: deque[Future[None]] = deque()

            def digest(part: bytes) -> None:
                digests.append(digesting.submit(hasher.update, part))

            try:
                for block in read_blocks(self._source, digest):
                    records += len(block.scan.starts)
                    waiting.append(parsing.submit(self._take, block))
                    self._settle(waiting, threads)
                    self._settle(digests, 2)
                    self._check()
                    self._progress(block.offset, self._source.size, "reading")
                self._settle(waiting, 0)
                self._settle(digests, 0)
            finally:
                for future in (*waiting, *digests):
                    future.cancel()
        return hasher.hexdigest(), records

    @staticmethod
    def _settle(futures: deque[Future[None]], most: int) -> None:
        while len(futures) > most:
            futures.popleft().result()

    def _take(self, block: Block) -> None:
        good = np.flatnonzero(block.scan.reasons == GOOD)
        if len(good):
            table = parse_records(block, self._source, [column.source_name for column in self._columns])
            numbers = pa.array(good + block.first, pa.int64())
            names = [RECORD_COLUMN, *(column.name for column in self._columns)]
            data = block.decoded.data
            plain = data.find(b"\x1e") < 0 and data.find(b"\x1f") < 0
            self._writer.write(pa.table([numbers, *table.columns], names=names), plain=plain)
        self._rejected.write(rejected_rows(block, REASONS))
