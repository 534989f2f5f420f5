"""Lake tables: Apache Iceberg by pyiceberg's SQL catalog; files are written elsewhere and adopted.

A snapshot exists only once its commit has ended; files that a killed commit left behind are
invisible and swept. Commits and sweeps of one table exclude each other on one host by a lock file
that the system frees when its holder dies; across hosts the catalog refuses the later commit.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    ValidationException,
)
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    IcebergType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)
from sqlalchemy.exc import OperationalError

from yunhe.crypto import sm3
from yunhe.engine.casts import MAX_DIGITS
from yunhe.engine.errors import CommitConflict, SnapshotMissing, TableMissing
from yunhe.engine.room import room_for
from yunhe.engine.types import RECORD_COLUMN, Column
from yunhe.kernel.ids import new_id

NAMESPACE: Final = "yunhe"
_NAME_MAPPING: Final = "schema.name-mapping.default"
_PROPERTIES: Final = {
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}
_TYPES: Final[dict[str, IcebergType]] = {
    "string": StringType(),
    "integer": LongType(),
    "date": DateType(),
    "timestamp": TimestamptzType(),
    "boolean": BooleanType(),
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One immutable state of a table; `summary` is what its commit said of it."""

    id: int
    parent_id: int | None
    committed_at: datetime
    operation: str
    summary: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    snapshots: int
    files: int
    bytes: int


Keep = AbstractSet[int] | Callable[[tuple[Snapshot, ...]], AbstractSet[int]]


class Lake:
    """The tables under one folder and their catalogue."""

    def __init__(self, root: Path, catalog: SqlCatalog) -> None:
        self._root = root
        self._catalog = catalog

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the catalogue's connections back."""
        self._catalog.close()

    def ensure_table(self, name: str, columns: Sequence[Column]) -> str:
        """Make the table of a resource, or bring its schema to these columns; return its safe name.

        Older snapshots keep the schema they were written with. A column whose type changed is a new
        column of the same name.
        """
        safe, wanted = table_name(name), iceberg_schema(columns)
        with self._locked(safe), room_for(self._root):
            try:
                table = self._catalog.load_table((NAMESPACE, safe))
            except NoSuchTableError:
                location = (self._root / "tables" / safe).as_uri()
                properties = {**_PROPERTIES, _NAME_MAPPING: wanted.name_mapping.model_dump_json(), "yunhe.name": name}
                self._catalog.create_table((NAMESPACE, safe), wanted, location=location, properties=properties)
            else:
                _evolve(table, wanted)
        return safe

    def commit(
        self, name: str, files: Sequence[Path], *, replace: bool = True, summary: Mapping[str, str] | None = None
    ) -> int:
        """Adopt Parquet files as one new snapshot and return its id; older snapshots stay readable.

        The files are moved into the table's folder and made durable first. `replace`: the snapshot
        holds these files only; otherwise they are added to the newest.
        Raises: TableMissing, CommitConflict, DiskFull; then nothing is visible and the files are gone.
        """
        safe = table_name(name)
        with self._locked(safe), room_for(self._root):
            table = self._load(name)
            adopted = _adopt(files, self._root / "tables" / safe / "data")
            try:
                return _commit(table, adopted, replace=replace, summary=dict(summary or {}))
            except (CommitFailedException, ValidationException, OperationalError) as error:
                _remove(adopted)
                raise CommitConflict(name=name) from error
            except BaseException:
                _remove(adopted)
                raise

    def files(self, name: str, snapshot_id: int) -> tuple[str, ...]:
        """Return the paths of a snapshot's data files, sorted.

        Raises: TableMissing, SnapshotMissing.
        """
        table = self._load(name)
        if table.snapshot_by_id(snapshot_id) is None:
            raise SnapshotMissing(name=name, snapshot=snapshot_id)
        return tuple(sorted(_local(task.file.file_path) for task in table.scan(snapshot_id=snapshot_id).plan_files()))

    def snapshots(self, name: str) -> tuple[Snapshot, ...]:
        """Return the table's snapshots, oldest first."""
        return _snapshots(self._load(name))

    @contextmanager
    def holding(self, name: str) -> Iterator[tuple[Snapshot, ...]]:
        """Hold the table as it is: no commit or sweep of it comes between; gives its snapshots.

        Do not commit or sweep the table inside. Raises: TableMissing.
        """
        with self._locked(table_name(name)):
            yield self.snapshots(name)

    def sweep(self, name: str, keep: Keep) -> Swept:
        """Remove every snapshot not in `keep`, and every file that no remaining snapshot needs.

        `keep` may be a function of the table's snapshots: it is asked once no commit can come between.
        The newest kept snapshot becomes the table's current one; with none kept the table is empty.
        """
        safe = table_name(name)
        with self._locked(safe), room_for(self._root):
            table = self._load(name)
            wanted = keep(_snapshots(table)) if callable(keep) else keep
            known = {snapshot.snapshot_id: snapshot for snapshot in table.metadata.snapshots}
            kept = [known[snapshot_id] for snapshot_id in wanted if snapshot_id in known]
            head = _set_head(table, kept)
            held = [snapshot.snapshot_id for snapshot in table.refresh().metadata.snapshots]
            gone = [snapshot_id for snapshot_id in held if snapshot_id not in wanted and snapshot_id != head]
            if gone:
                table.maintenance.expire_snapshots().by_ids(gone).commit()
            files = _orphans(self._load(name), self._root / "tables" / safe)
            size = sum(file.stat().st_size for file in files)
            _remove(files)
            return Swept(len(gone), len(files), size)

    def _load(self, name: str) -> Table:
        try:
            return self._catalog.load_table((NAMESPACE, table_name(name)))
        except NoSuchTableError as error:
            raise TableMissing(name=name) from error

    @contextmanager
    def _locked(self, safe: str) -> Iterator[None]:
        folder = self._root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{safe}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def open_lake(root: Path, catalog_url: str | None = None) -> Lake:
    """Open the lake under `root`; its catalogue is a SQLite file there unless a URL names another."""
    root = root.resolve()
    root.mkdir(parents=True, exist_ok=True)
    url = catalog_url or f"sqlite:///{root / 'catalog.sqlite3'}"
    catalog = SqlCatalog(NAMESPACE, uri=url, warehouse=root.as_uri())
    with suppress(NamespaceAlreadyExistsError):
        catalog.create_namespace(NAMESPACE)
    return Lake(root, catalog)


def table_name(code: str) -> str:
    """Return the table name of a resource code: letters, digits and _, the same each time.

    Two codes never share one: a digest of the code stands behind the readable part.
    """
    readable = re.sub(r"[^a-z0-9]+", "_", code.lower()).strip("_")[:40] or "resource"
    return f"r_{readable}_{sm3.hexdigest(code.encode())[:12]}"


def iceberg_schema(columns: Sequence[Column]) -> Schema:
    """Return the table schema of these columns behind the record number."""
    kinds: list[tuple[str, IcebergType]] = [(RECORD_COLUMN, LongType())]
    for column in columns:
        decimal = column.type == "decimal"
        kinds.append((column.name, DecimalType(MAX_DIGITS, column.decimals) if decimal else _TYPES[column.type]))
    return Schema(*(NestedField(number, name, kind) for number, (name, kind) in enumerate(kinds, start=1)))


def _snapshots(table: Table) -> tuple[Snapshot, ...]:
    return tuple(
        Snapshot(
            id=found.snapshot_id,
            parent_id=found.parent_snapshot_id,
            committed_at=datetime.fromtimestamp(found.timestamp_ms / 1000, UTC),
            operation=found.summary.operation.value if found.summary else "",
            summary=dict(found.summary.additional_properties) if found.summary else {},
        )
        for found in sorted(table.metadata.snapshots, key=lambda found: found.sequence_number or 0)
    )


def _set_head(table: Table, kept: Sequence[IcebergSnapshot]) -> int:
    """Make the newest kept snapshot the current one, or an empty one where none is kept; return its id."""
    if kept:
        newest = max(kept, key=lambda snapshot: snapshot.sequence_number or 0)
        if table.metadata.current_snapshot_id != newest.snapshot_id:
            table.manage_snapshots().set_current_snapshot(newest.snapshot_id).commit()
        return int(newest.snapshot_id)
    current = table.current_snapshot()
    if current is None:
        return -1
    if any(True for _ in table.scan().plan_files()):
        return _commit(table, [], replace=True, summary={})
    return int(current.snapshot_id)


def _evolve(table: Table, wanted: Schema) -> None:
    present = {field.name: field.field_type for field in table.schema().fields}
    target = {field.name: field.field_type for field in wanted.fields}
    gone = [name for name, kind in present.items() if target.get(name) != kind]
    new = [(name, kind) for name, kind in target.items() if present.get(name) != kind]
    if not gone and not new:
        return
    with table.transaction() as transaction:
        with transaction.update_schema(allow_incompatible_changes=True) as update:
            for name in gone:
                update.delete_column(name)
        with transaction.update_schema() as update:
            for name, kind in new:
                update.add_column(name, kind)
        mapping = transaction.table_metadata.schema().name_mapping.model_dump_json()
        transaction.set_properties({_NAME_MAPPING: mapping})


def _commit(table: Table, files: Sequence[Path], *, replace: bool, summary: dict[str, str]) -> int:
    with table.transaction() as transaction:
        if replace and any(True for _ in table.scan().plan_files()):
            transaction.delete(AlwaysTrue())
        if files:
            paths = [file.as_uri() for file in files]
            transaction.add_files(paths, snapshot_properties=summary, check_duplicate_files=False)
        else:
            with transaction.update_snapshot(snapshot_properties=summary).fast_append():
                pass
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise SnapshotMissing(name=".".join(table.name()), snapshot="-")
    return int(snapshot.snapshot_id)


def _adopt(files: Sequence[Path], folder: Path) -> list[Path]:
    """Move files into the table's folder under new names and sync them."""
    folder.mkdir(parents=True, exist_ok=True)
    batch, adopted = new_id(), []
    try:
        for number, file in enumerate(files):
            target = folder / f"{batch}-{number:05d}.parquet"
            adopted.append(target)
            shutil.move(file, target)
            _sync(target)
        _sync(folder)
    except BaseException:
        _remove(adopted)
        raise
    return adopted


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _orphans(table: Table, folder: Path) -> list[Path]:
    """Return the files under the table's folder that its metadata does not reach."""
    needed = {_local(table.metadata_location), *(_local(entry.metadata_file) for entry in table.metadata.metadata_log)}
    for snapshot in table.metadata.snapshots:
        needed.add(_local(snapshot.manifest_list))
        for manifest in snapshot.manifests(table.io):
            needed.add(_local(manifest.manifest_path))
            needed |= {_local(entry.data_file.file_path) for entry in manifest.fetch_manifest_entry(table.io)}
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and str(file) not in needed]


def _local(location: str) -> str:
    return unquote(location.removeprefix("file://"))


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
