"""Read .po files and write the one .mo that Django loads; the texts of each room are one file."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from yunhe.kernel.errors import Invalid

LOCALE = Path(__file__).resolve().parent / "locale"
Entries = dict[str, str]


def read_po(path: Path) -> Entries:
    """Return msgid → msgstr of a .po file; plural forms are joined by NUL as gettext stores them.

    Raises: Invalid with file and line.
    """
    entries: Entries = {}
    for number, block in _blocks(path.read_text("utf-8")):
        fields = _fields(block, path, number)
        if "msgid" not in fields:
            continue
        msgid = fields["msgid"]
        if "msgctxt" in fields:
            msgid = f"{fields['msgctxt']}\x04{msgid}"
        if "msgid_plural" in fields:
            msgid = f"{msgid}\x00{fields['msgid_plural']}"
        if msgid in entries:
            raise Invalid(where=f"{path}:{number}", expected="each msgid once", found=msgid)
        plurals = [text for name, text in fields.items() if name.startswith("msgstr")]
        entries[msgid] = "\x00".join(plurals)
    return entries


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    block: list[str] = []
    start = 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip() and not line.startswith("#"):
            if not block:
                start = number
            block.append(line.strip())
        elif not line.strip() and block:
            yield start, block
            block = []


def _fields(block: list[str], path: Path, number: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in block:
        keyword, _, text = ("", "", line) if line.startswith('"') else line.partition(" ")
        name = keyword or name
        try:
            fields[name] = fields.get(name, "") + ast.literal_eval(text)
        except (SyntaxError, ValueError, TypeError, KeyError) as error:
            raise Invalid(where=f"{path}:{number}", expected='a keyword and a "text"', found=line[:60]) from error
    return fields


def merge(language: str, *, locale: Path = LOCALE) -> Entries:
    """Return the texts of every room's file of a language. Raises: Invalid when two files disagree."""
    merged: Entries = {}
    for path in sorted((locale / language).glob("*.po")):
        for msgid, msgstr in read_po(path).items():
            if msgid and merged.setdefault(msgid, msgstr) != msgstr:
                raise Invalid(where=str(path), expected=f"{msgid} → {merged[msgid]}", found=msgstr)
    return merged


def to_mo(entries: Mapping[str, str]) -> bytes:
    """Return a GNU .mo file (little endian, sorted, no hash table) of the entries that have a text.

    Source: GNU gettext manual, "The Format of GNU MO Files".
    """
    header = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    pairs = sorted((k.encode(), v.encode()) for k, v in {**entries, "": header}.items() if v)
    offset = 28 + 16 * len(pairs)
    tables: list[bytes] = []
    bodies: list[bytes] = []
    for side in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[side]), offset))
            bodies.append(pair[side] + b"\x00")
            offset += len(pair[side]) + 1
    head = struct.pack("<IIIIIII", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 28)
    return head + b"".join(tables) + b"".join(bodies)


def compile_texts(*, locale: Path = LOCALE) -> list[Path]:
    """Write LANGUAGE/LC_MESSAGES/django.mo for every language folder; return what was written."""
    written = []
    for folder in sorted(path for path in locale.iterdir() if path.is_dir()):
        target = folder / "LC_MESSAGES" / "django.mo"
        content = to_mo(merge(folder.name, locale=locale))
        target.parent.mkdir(exist_ok=True)
        if not target.is_file() or target.read_bytes() != content:
            target.write_bytes(content)
        written.append(target)
    return written
