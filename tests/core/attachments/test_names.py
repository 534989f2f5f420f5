"""Whatever a file is called: no path, no control, no device, and still its extension."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.core.attachments.rules.names import DEVICE, MOST_CHARACTERS, NAMELESS, clean_name, extension_of

PIECES = ("..", "/", "\\", "\x00", "\u202e", "\u200f", "\ufeff", "CON", "aux.", "lpt¹", " ", "\u3000", ".", "e\u0301", "\ud800",
          "A\u030a", "𠮷", "\ufffe", "<", ":", "|", "长" * 130, ".pdf", "\r\n", "%2e%2e", "\u2028", "\ue000")  # fmt: skip
NAMES = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


@given(NAMES)
def test_no_name_escapes(text: str) -> None:
    name = clean_name(text)
    assert 1 <= len(name) <= MOST_CHARACTERS
    assert not set(name) & set('/\\<>:"|?*\x00')
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in name)
    assert name == name.strip(". ") and not name.startswith(".")
    assert not DEVICE.match(name)
    assert unicodedata.is_normalized("NFC", name)
    name.encode("utf-8")
    assert clean_name(name) == name


@given(NAMES, st.sampled_from(("pdf", "docx", "JPG")))
def test_the_extension_stays(stem: str, extension: str) -> None:
    assert extension_of(clean_name(f"a{stem}.{extension}")) in (extension.lower(), "")
    if not set(stem) & set("/\\"):
        assert extension_of(clean_name(f"a{stem}.{extension}")) == extension.lower()


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("申请 表.pdf", "申请 表.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\li\\身份证.jpg", "身份证.jpg"),
        ("a\x00.pdf", "a.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("con.pdf", "_con.pdf"),
        ("LPT¹ .txt", "_LPT¹ .txt"),
        ("e\u0301.txt", "é.txt"),
        (".htaccess", "htaccess"),
        ("a.pdf. . ", "a.pdf"),
        ("a<b>.csv", "a_b_.csv"),
        ("", NAMELESS),
        ("...", NAMELESS),
        ("\ud800", NAMELESS),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_names_by_hand(given_name: str, cleaned: str) -> None:
    assert clean_name(given_name) == cleaned
