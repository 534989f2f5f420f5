"""A full disk, said as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from yunhe.engine.errors import DiskFull

_NO_ROOM = {EFBIG, ENOSPC, EDQUOT}


@contextmanager
def room_for(place: Path) -> Iterator[None]:
    """Turn "no space left" of the body into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(place=str(place)) from error
        raise
