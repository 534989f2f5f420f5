"""Where lake keeps things under YUNHE_HOME, and the engine's limits from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from yunhe.data.catalog.types import Contract
from yunhe.data.lake.errors import SourceNotAllowed, SourceRootsBroken
from yunhe.engine.errors import TableMissing
from yunhe.engine.types import Limits, SourceSpec
from yunhe.kernel.actor import Actor

if TYPE_CHECKING:
    from yunhe.engine.tables import Lake


def home() -> Path:
    return Path(settings.HOME)


def the_lake() -> Lake:
    """Return the node's lake; its catalogue is SQLite beside it, or the control database's server."""
    from yunhe.engine.tables import open_lake  # heavy (pyiceberg): only processes that need it pay

    catalog_url = settings.YUNHE["DATABASE"] if settings.YUNHE["PROFILE"] == "server" else None
    return open_lake(home() / "lake", catalog_url)


def snapshot_ids(code: str) -> frozenset[int]:
    """Return the snapshots that the lake holds of a resource; none where it has no table yet."""
    with the_lake() as lake:
        try:
            return frozenset(snapshot.id for snapshot in lake.snapshots(code))
        except TableMissing:
            return frozenset()


def snapshot_files(code: str, snapshot_id: int) -> tuple[str, ...]:
    """Return the Parquet files of one snapshot."""
    with the_lake() as lake:
        return lake.files(code, snapshot_id)


def loads_folder(load_id: str) -> Path:
    """Return the folder that keeps a load's quarantine and rejected records."""
    return home() / "loads" / load_id


def work_folder(load_id: str) -> Path:
    """Return a load's working folder; it goes when the load ends."""
    return home() / "work" / load_id


def findings_folder(load_id: str) -> Path:
    return home() / "findings" / load_id


def limits() -> Limits:
    values = settings.YUNHE
    return Limits(
        memory_mb=values["ENGINE_MEMORY_MB"],
        threads=values["ENGINE_THREADS"],
        seconds=3600,
        rows=values["QUERY_ROWS"],
    )


def source_of(contract: Contract, *, owner: str, actor: Actor) -> SourceSpec:
    """Return the source of a contract that `owner` (organisation code) provides, for the engine.

    The engine opens the very path that was checked, links followed. Raises: SourceNotAllowed.
    """
    return SourceSpec(
        connector=contract.source.connector,
        location=str(allowed_file(Path(contract.source.location), owner=owner, actor=actor)),
        options={k: v for k, v in contract.source.options.items() if v and v != "auto"},
    )


def allowed_file(location: Path, *, owner: str, actor: Actor) -> Path:
    """Return the file that `location` leads to, if data of `owner` may be read from there.

    It is the owner of the data that counts, not who asks: a right to load another organisation's
    resource does not open that organisation's files to one's own. Nothing under YUNHE_HOME is a
    source but the uploads and the demonstration city's sources. The local operator of an embedded
    node, who can read the files anyway, may name any other. Raises: SourceNotAllowed, SourceRootsBroken.
    """
    folders = source_folders(owner)
    file = _followed(location)
    if file is not None:
        inside = home().resolve()
        if file.is_relative_to(inside):
            usable = tuple(folder for folder in folders if folder.is_relative_to(inside))
        else:
            usable = (Path("/"),) if _may_name_any(actor) else folders
        if any(file.is_relative_to(folder) for folder in usable):
            return file
    raise SourceNotAllowed(location=location, owner=owner or "—", folders=", ".join(map(str, folders)))


def _followed(location: Path) -> Path | None:
    """Return where a full path leads; None for a relative one, or one that leads nowhere."""
    try:
        return location.resolve() if location.is_absolute() else None
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, a NUL
        return None


def _may_name_any(actor: Actor) -> bool:
    return actor.kind == "operator" and settings.YUNHE["PROFILE"] == "embedded"


def source_folders(owner: str) -> tuple[Path, ...]:
    """Return the folders that an organisation's sources may lie in, links followed."""
    inside = home().resolve()
    found = [inside / "uploads" / owner] if owner else []
    for holder, root in _source_roots():
        if holder not in ("*", "", owner) or not (holder or owner):
            continue
        folder = (root if holder else root / owner).resolve()
        if not folder.is_relative_to(inside):
            found.append(folder)
    return (*found, inside / "demo" / "sources")


def _source_roots() -> Iterator[tuple[str, Path]]:
    """Yield who holds each root of the setting SOURCE_ROOTS: an organisation code, "*", or "" (shared out)."""
    for entry in filter(None, map(str.strip, settings.YUNHE["SOURCE_ROOTS"].split(":"))):
        holder, path = ("", entry) if entry.startswith("/") else entry.partition("=")[::2]
        if not path.startswith("/") or not (holder or entry.startswith("/")):
            raise SourceRootsBroken(entry=entry)
        yield holder, Path(path)
