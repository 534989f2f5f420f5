"""Every text that people read has an English one; the compiled file says what the sources say."""

from __future__ import annotations

import gettext
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.kernel.errors import Invalid
from yunhe.ui.po import LOCALE, compile_texts, merge, read_po, to_mo
from yunhe.ui.texts import find_texts


def test_every_text_has_an_english_one() -> None:
    english = merge("en")
    missing = {msgid: places for msgid, places in find_texts().items() if not english.get(msgid)}
    assert missing == {}, "write them into src/yunhe/ui/locale/en/ROOM.po"


def test_no_english_text_is_left_over() -> None:
    used = find_texts()
    assert [msgid for msgid in merge("en") if msgid not in used] == []


def test_english_texts_keep_their_slots() -> None:
    import re

    slot = re.compile(r"%\(\w+\)[sd]")
    for msgid, text in merge("en").items():
        for part in text.split("\x00"):
            assert set(slot.findall(part)) <= set(slot.findall(msgid)), msgid


def test_english_texts_hold_no_chinese() -> None:
    for path in LOCALE.glob("en/*.po"):
        for msgid, text in read_po(path).items():
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in text), f"{path.name}: {msgid}"


def test_texts_are_found_in_templates_and_python(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '{% trans "一" %}{% blocktranslate trimmed count n=1 %}二{% plural %}三{% endblocktranslate %}{% tag _("四") %}',
        "utf-8",
    )
    (tmp_path / "a.py").write_text('_("五")\nngettext("六", "七", 2)\nother("八")\n', "utf-8")
    assert set(find_texts(tmp_path)) == {"一", "二\x00三", "四", "五", "六\x00七"}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(lambda t: "\x00" not in t), st.text(min_size=1, max_size=30)
    )
)
def test_the_compiled_file_is_what_gettext_reads(entries: dict[str, str]) -> None:
    clean = {
        k: v.replace("\x00", "") or "x"
        for k, v in entries.items()
        if k.encode("utf-8", "replace") == k.encode("utf-8", "ignore")
    }
    clean = {k: v.encode("utf-8", "ignore").decode() or "x" for k, v in clean.items()}
    read = gettext.GNUTranslations(io.BytesIO(to_mo(clean)))
    assert {k: read.gettext(k) for k in clean} == clean


def test_plural_forms_reach_gettext() -> None:
    read = gettext.GNUTranslations(io.BytesIO(to_mo({"共 %(n)s 条\x00共 %(n)s 条": "%(n)s entry\x00%(n)s entries"})))
    assert [read.ngettext("共 %(n)s 条", "共 %(n)s 条", n) for n in (1, 2)] == ["%(n)s entry", "%(n)s entries"]


def test_a_broken_file_names_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "x.po"
    broken.write_text('msgid "一"\nmsgstr "one"\n\nmsgid "二\nmsgstr "two"\n', "utf-8")
    with pytest.raises(Invalid, match=r"x\.po:4"):
        read_po(broken)


def test_a_text_said_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    double = tmp_path / "x.po"
    double.write_text('msgid "一"\nmsgstr "one"\n\nmsgid "一"\nmsgstr "one"\n', "utf-8")
    with pytest.raises(Invalid, match="each msgid once"):
        read_po(double)


def test_two_rooms_may_not_disagree(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.po").write_text('msgid "一"\nmsgstr "one"\n', "utf-8")
    (tmp_path / "en" / "b.po").write_text('msgid "一"\nmsgstr "single"\n', "utf-8")
    with pytest.raises(Invalid, match="one"):
        merge("en", locale=tmp_path)
    (tmp_path / "en" / "b.po").write_text('msgid "二"\nmsgstr "two"\n', "utf-8")
    (written,) = compile_texts(locale=tmp_path)
    with written.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("二") == "two"
