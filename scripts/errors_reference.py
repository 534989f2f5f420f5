"""Print every error of the house as a page (`make docs` writes docs/errors.md)."""

from __future__ import annotations

import importlib
import os
import pkgutil
import string
from collections.abc import Iterator

import yunhe
from yunhe.kernel.errors import EXIT_CODES, HTTP_STATUS, Terminal, Transient, YunheError

# What only sorts others; never raised by name.
BASES = frozenset({Terminal, Transient})
# Run as programs, not imported.
NOT_IMPORTED = ("migrations", "__main__", "wsgi")

_HEAD = """# Errors

Generated from the error classes by `make docs`; a test fails when the two differ. A code never changes its
meaning: programs may rely on it. Each error reads the same on a page, in JSON (`application/problem+json`) and
on the command line; the slots in braces are filled with facts, never with secrets or personal values.

| code | kind | HTTP | exit | 中文 | English |
| --- | --- | --- | --- | --- | --- |
"""


def import_everything() -> None:
    """Import each module of the house, so that every error class exists."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yunhe.settings.django")
    import django

    django.setup()
    for module in pkgutil.walk_packages(yunhe.__path__, "yunhe."):
        if not any(part in NOT_IMPORTED for part in module.name.split(".")):
            importlib.import_module(module.name)


def error_classes(base: type[YunheError] = YunheError) -> Iterator[type[YunheError]]:
    """Yield every error class of the house itself (not those that tests make)."""
    for child in base.__subclasses__():
        if child.__module__.split(".")[0] == "yunhe" and child not in BASES:
            yield child
        yield from error_classes(child)


def slots_of(sentence: str) -> frozenset[str]:
    """Return the names of the slots in a sentence."""
    return frozenset(name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name)


def render_errors() -> str:
    """Return docs/errors.md."""
    rows = []
    for error in sorted(set(error_classes()), key=lambda each: (each.code, each.__module__, each.__qualname__)):
        if "code" not in vars(error):
            continue  # sorts others
        zh, en = (error.sentences[language].replace("|", "\\|").replace("\n", " ") for language in ("zh", "en"))
        status, code = HTTP_STATUS[error.kind], EXIT_CODES[error.kind]
        rows.append(f"| `{error.code}` | {error.kind} | {status} | {code} | {zh} | {en} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    import_everything()
    print(render_errors(), end="")
