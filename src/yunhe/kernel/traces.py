"""What a log says of an exception: its class, its places in the code, and no value of a row.

The text of a foreign exception may hold data: PostgreSQL quotes the row (`DETAIL: Key (id)=(…)`), DuckDB the
value it could not cast, `int()` its argument. Our own errors name no personal values, so theirs is kept.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from yunhe.kernel.errors import YunheError

FRAMES = 40
PLAIN = (OSError, ImportError, AttributeError, NameError, NotImplementedError, RecursionError, MemoryError)
"""Built-in errors whose text speaks of files, modules and names of the code only."""


def describe(error: BaseException) -> str:
    """Return class and frames (`file:line function`) of an error and of each one it came from, the cause first."""
    return "\nled to: ".join(_describe_one(one) for one in reversed(list(_chain(error))))


def _describe_one(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return "\n".join([name_error(error), *places])


def name_error(error: BaseException) -> str:
    """Return the class of an error, with its message where that holds no data."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    plain = isinstance(error, PLAIN) and kind.__module__ == "builtins"
    return f"{name}: {error}" if plain or isinstance(error, YunheError) else name


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
