"""Loading a source: every record has one of three fates, and the counts are reconciled."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from yunhe.engine.connectors import Staged, find_connector
from yunhe.engine.errors import LoadDoesNotReconcile
from yunhe.engine.load.columns import check_declared
from yunhe.engine.load.fates import Fates, decide_fates
from yunhe.engine.room import room_for
from yunhe.engine.types import Check, Column, Limits, LoadResult, Progress, SourceSpec

__all__ = ["load_source"]


def load_source(
    *,
    spec: SourceSpec,
    columns: Sequence[Column],
    keys: Sequence[str],
    work: Path,
    limits: Limits,
    blocks: Sequence[tuple[str, str]] = (),
    uniques: Sequence[tuple[str, Sequence[str]]] = (),
    progress: Progress = lambda _done, _total, _note: None,
    check: Check = lambda: None,
) -> LoadResult:
    """Load a source into typed Parquet files under `work`; nothing outside `work` is touched.

    `blocks` are (reason, SQL condition over the typed columns): true means quarantined. `uniques` are
    (reason, columns): records that share all those values, none of them NULL, are quarantined.
    `check` is called often, also during long statements; what it raises ends the load.
    Shape: kept files hold `_record` and the columns; the quarantine file holds `_record`,
    `_reasons` and the original texts. On any error `work` is left without files of this load.
    Raises: SourceInvalid and its kinds, ColumnsInvalid, SourceChanged, LoadDoesNotReconcile,
    DiskFull, OutOfMemory.
    """
    check_declared(columns, keys)
    for _, names in uniques:
        check_declared(columns, names)
    connector = find_connector(spec.connector)
    room = work / "load"
    _clear(room)
    try:
        with room_for(room):
            room.mkdir(parents=True)
            staged = connector.stage(spec, columns, keys, work=room, limits=limits, progress=progress, check=check)
            fates = decide_fates(
                staged, columns, keys, blocks, uniques, work=room, limits=limits, progress=progress, check=check
            )
        result = _reconciled(spec, staged, fates)
    except BaseException:
        _clear(room)
        raise
    for file in (*staged.files, *staged.marks):
        file.unlink()
    _clear(room / "spill")
    return result


def _reconciled(spec: SourceSpec, staged: Staged, fates: Fates) -> LoadResult:
    """Compare the counted records with the rows that now stand in the three kinds of file."""
    kept = sum(_rows(file) for file in fates.kept_files)
    quarantined = _rows(fates.quarantine_file)
    rejected = _rows(staged.rejected_file)
    if staged.records != kept + quarantined + rejected or staged.sums.rows != kept + quarantined:
        raise LoadDoesNotReconcile(
            place=spec.location, rows_in=staged.records, kept=kept, quarantined=quarantined, rejected=rejected
        )
    return LoadResult(
        rows_in=staged.records,
        kept=kept,
        quarantined=quarantined,
        rejected=rejected,
        receipt=staged.sums.seal(size=staged.bytes, file_digest=staged.file_digest),
        kept_files=fates.kept_files,
        quarantine_file=fates.quarantine_file,
        rejected_file=staged.rejected_file,
        quarantine_reasons=fates.reasons,
        rejected_reasons=dict(staged.rejected_reasons),
        ignored_columns=staged.ignored_columns,
        encoding=staged.encoding,
    )


def _rows(file: Path | None) -> int:
    return 0 if file is None else int(pq.read_metadata(file).num_rows)


def _clear(room: Path) -> None:
    shutil.rmtree(room, ignore_errors=True)
