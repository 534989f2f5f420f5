"""A pack's files: found, read once, and never followed outside the folder."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

import yunhe_packs
from yunhe.core.packs.errors import PackNotFound
from yunhe.core.packs.rules.problems import problem
from yunhe.core.packs.types import PackProblem
from yunhe.crypto import sm3

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
FILE_NAME = re.compile(r"[A-Za-z0-9_\-.\u4e00-\u9fff]{1,100}\Z")
MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_PACK_BYTES = 64 * 1024 * 1024
MAX_FILES = 5000


@dataclass(frozen=True, slots=True)
class PackFiles:
    """All files of a pack as read at one moment, by relative path."""

    folder: Path
    files: dict[str, bytes]
    digest: str
    problems: tuple[PackProblem, ...]
    shipped: bool


def pack_roots() -> tuple[tuple[Path, bool], ...]:
    """Return where packs live: with the product, then in the node's home."""
    return (Path(yunhe_packs.__file__).resolve().parent, True), (settings.HOME / "packs", False)


def find_pack_folder(*, name: str) -> Path:
    """Return the folder of a pack: from the product, else from YUNHE_HOME/packs. Raises: PackNotFound."""
    for root, _ in pack_roots():
        folder: Path = root / name
        if NAME.match(name) and (folder / "pack.yml").is_file():
            return folder
    raise PackNotFound(what="pack", name=name, places=", ".join(str(root) for root, _ in pack_roots()))


def resolve_folder(name_or_path: str | Path) -> Path:
    """Return the folder of a pack given by its name or by a path. Raises: PackNotFound."""
    text = str(name_or_path)
    if NAME.match(text) and not isinstance(name_or_path, Path):
        return find_pack_folder(name=text)
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise PackNotFound(what="pack", name=text, places=text)
    return folder.resolve()


def list_pack_folders() -> tuple[Path, ...]:
    """Return the folder of every pack at hand; the product's own hides a local one of its name."""
    found: dict[str, Path] = {}
    for root, _ in pack_roots():
        for manifest in sorted(root.glob("*/pack.yml")) if root.is_dir() else ():
            if NAME.match(manifest.parent.name):
                found.setdefault(manifest.parent.name, manifest.parent)
    return tuple(found[name] for name in sorted(found))


def read_pack(folder: Path) -> PackFiles:
    """Read every file of a pack once.

    Links, devices, strange names, files over 5 MB and packs over 64 MB become problems, and are
    not read.
    """
    files: dict[str, bytes] = {}
    problems: list[PackProblem] = []
    total = 0
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        data = _read(path, name, problems)
        if data is None:
            continue
        total += len(data)
        if total > MAX_PACK_BYTES or len(files) >= MAX_FILES:
            problems.append(problem(".", 1, "", "pack_too_big", limit=MAX_PACK_BYTES, files=MAX_FILES))
            break
        files[name] = data
    shipped = folder.resolve().parent == pack_roots()[0][0]
    return PackFiles(folder, files, _digest(files), tuple(problems), shipped)


def _walk(folder: Path) -> list[Path]:
    """Return everything in the folder that is not a plain folder; links are not entered."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        here = Path(place)
        found += [here / name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not (here / name).is_symlink())
        found += [here / name for name in sorted(names)]
    return found


def _read(path: Path, name: str, problems: list[PackProblem]) -> bytes | None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        problems.append(problem(name, 1, "", "no_links"))
    elif not all(FILE_NAME.match(part) and part.strip(".") for part in name.split("/")):
        problems.append(problem(ascii(name), 1, "", "bad_name"))
    elif found.st_size > MAX_FILE_BYTES:
        problems.append(problem(name, 1, "", "file_too_big", limit=MAX_FILE_BYTES, size=found.st_size))
    else:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return file.read(MAX_FILE_BYTES)
    return None


def _digest(files: dict[str, bytes]) -> str:
    whole = sm3.new(b"yunhe.pack.v1\x00")
    for name in sorted(files):
        data = files[name]
        whole.update(len(name.encode()).to_bytes(4) + name.encode() + len(data).to_bytes(8) + sm3.digest(data))
    return whole.hexdigest()
