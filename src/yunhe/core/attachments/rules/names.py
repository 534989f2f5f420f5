"""File names as people gave them, made harmless: they are shown and sent back, and never name a file of ours."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 120
MOST_EXTENSION_CHARACTERS = 12
NAMELESS = "未命名"
DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that no name keeps: controls, invisible marks (right-to-left ones too), lone surrogates."""

FORBIDDEN = re.compile(r'[<>:"|?*]')  # source: Microsoft, "Naming Files, Paths, and Namespaces"
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)")  # same source


def clean_name(text: str) -> str:
    """Return a name without path, controls, invisible marks and device names: NFC, at most 120 characters.

    The extension stays; doing it again changes nothing.
    """
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rsplit("/", 1)[-1]
    name = FORBIDDEN.sub("_", "".join(filter(None, map(_kept, name))))
    name = " ".join(unicodedata.normalize("NFC", name).split()).strip(". ")
    if DEVICE.match(name):
        name = f"_{name}"
    return _shortened(name) or NAMELESS


def extension_of(name: str) -> str:
    """Return what stands behind the last dot, in lower case; "" where there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    code = ord(character)
    is_no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or code == 0xFFFD
    return "" if category in DROPPED or is_no_character else character


def _shortened(name: str) -> str:
    if len(name) <= MOST_CHARACTERS:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > MOST_EXTENSION_CHARACTERS:
        return name[:MOST_CHARACTERS].rstrip(". ")
    return stem[: MOST_CHARACTERS - len(extension) - 1].rstrip(". ") + dot + extension
