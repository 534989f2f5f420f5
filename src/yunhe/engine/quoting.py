"""The one way in which names and marks get into SQL text; apart from `duck`, which is heavy to import."""

from __future__ import annotations


def quote_identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` as an SQL string literal; for paths and declared marks, never for row values."""
    return "'" + text.replace("'", "''") + "'"
