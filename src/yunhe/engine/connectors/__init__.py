"""Connectors: one folder here is one kind of source; adding a folder adds the kind."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from yunhe.engine.errors import SourceMissing, UnknownConnector
from yunhe.engine.receipt import ReceiptSum
from yunhe.engine.types import Check, Column, Limits, Progress, Shape, SourceSpec


@dataclass(frozen=True, slots=True)
class Staged:
    """A source's readable records as text, and what could not be read.

    Shape: `files` are Arrow IPC streams of `_record` (int64, from 1) and every declared column as
    non-null text, empty for NULL. `marks` are files of 64-bit hashes of the typed keys (native byte
    order; records whose key is incomplete have none). `records` counts logical records without parsing them;
    `sums` counts what the parser gave. The rejected file: Parquet of record, offset, reason, raw.
    """

    files: tuple[Path, ...]
    marks: tuple[Path, ...]
    records: int
    sums: ReceiptSum
    rejected: int
    rejected_file: Path | None
    rejected_reasons: Mapping[str, int]
    bytes: int
    file_digest: str
    encoding: str
    ignored_columns: tuple[str, ...]


class Connector(Protocol):
    """What every kind of source can do; a connector never writes to its source."""

    kind: str

    def probe(self, spec: SourceSpec, *, limits: Limits) -> Shape:
        """Return the source's columns and, from a sample, what they seem to hold."""

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
        """Read the whole source into `work` as text."""


def find_connector(kind: str) -> Connector:
    """Return the connector of this kind.

    Raises: UnknownConnector naming those that exist.
    """
    known = connector_kinds()
    if kind not in known:
        raise UnknownConnector(connector=kind, known=", ".join(known))
    connector: Connector = importlib.import_module(f"{__name__}.{kind}").CONNECTOR
    return connector


@cache
def connector_kinds() -> tuple[str, ...]:
    """Return the kinds found as folders beside this file, sorted."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg))


def source_file(spec: SourceSpec) -> Path:
    """Return the path of a file source.

    Raises: SourceMissing if it is not a readable regular file.
    """
    path = Path(spec.location)
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):
        pass
    raise SourceMissing(location=spec.location)
