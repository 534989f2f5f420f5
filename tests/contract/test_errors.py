"""Every error: its own stable code, a sentence in both languages with the same facts; docs/errors.md says the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

import pytest

from scripts.errors_reference import error_classes, import_everything, render_errors, slots_of
from tests.architecture.graph import ROOT
from yunhe.kernel.errors import EXIT_CODES, Terminal, YunheError


@pytest.fixture(scope="module")
def errors() -> list[type[YunheError]]:
    import_everything()
    return sorted(set(error_classes()), key=lambda error: error.__qualname__)


# One meaning met in two places that cannot share a class: same code, same kind.
SHARED = frozenset({"bad_pack_item", "field_not_granted", "method_not_allowed", "slot_taken", "slots_closed"})


def spoken_slots(sentence: str) -> frozenset[str]:
    """Return the slots of a sentence; a fact that is itself a text has one slot per language (what_zh, what_en)."""
    return frozenset(re.sub(r"(^|_)(zh|en)$", "", slot) for slot in slots_of(sentence))


def faults(errors: Iterable[type[YunheError]]) -> list[str]:
    """Return a sentence for each rule an error class breaks."""
    errors = [error for error in errors if "code" in vars(error) or not error.__subclasses__()]
    found = []
    holders: dict[str, list[type[YunheError]]] = {}
    for error in errors:
        holders.setdefault(error.code, []).append(error)
    for error in errors:
        name = f"{error.__module__}.{error.__qualname__}"
        others = [one for one in holders[error.code] if not issubclass(one, error) and not issubclass(error, one)]
        if "code" not in vars(error):
            found.append(f"{name} has no code of its own")
        elif others and (error.code not in SHARED or any(one.kind != error.kind for one in others)):
            found.append(f"{name}: code {error.code} is taken twice")
        if not error.code.replace("_", "").isalnum() or error.code != error.code.lower():
            found.append(f"{name}: code {error.code} is not lower_snake")
        if error.kind not in EXIT_CODES:
            found.append(f"{name}: kind {error.kind} is unknown")
        zh, en = error.sentences.get("zh", ""), error.sentences.get("en", "")
        if not zh or not en:
            found.append(f"{name} lacks a sentence in a language")
        elif spoken_slots(zh) != spoken_slots(en):
            found.append(f"{name}: slots differ, {sorted(spoken_slots(zh) ^ spoken_slots(en))}")
        elif not any("\u4e00" <= char <= "\u9fff" for char in zh) and re.search("[A-Za-z]", re.sub(r"\{[^}]*\}", "", zh)):
            found.append(f"{name}: the Chinese sentence is not Chinese")
    return found


def test_every_error_obeys(errors: list[type[YunheError]]) -> None:
    assert len(errors) > 20
    assert faults(errors) == []


def test_every_sentence_can_be_said(errors: list[type[YunheError]]) -> None:
    for error in errors:
        for language in ("zh", "en"):
            facts = dict.fromkeys(slots_of(error.sentences[language]), "x")
            said = error.sentences[language].format_map(facts)
            assert "{" not in said.replace("{{", "") or "{{" in error.sentences[language], error.code


def test_the_page_of_errors_is_current(errors: list[type[YunheError]]) -> None:
    assert (ROOT / "docs" / "errors.md").read_text("utf-8") == render_errors(), "run: make docs"


def make(name: str, **attributes: object) -> type[YunheError]:
    good = {"code": name, "kind": "invalid", "sentences": {"zh": "{a}错了。", "en": "{a} is wrong."}}
    return type(name, (Terminal,), {**good, "__module__": "tests", **attributes})


class Bad:
    no_code: ClassVar = make("no_code")
    upper: ClassVar = make("upper", code="Not-Snake")
    one_language: ClassVar = make("one_language", sentences={"zh": "错了。"})
    slots: ClassVar = make("slots", sentences={"zh": "{a}错了。", "en": "{b} is wrong."})
    english_only: ClassVar = make("english_only", sentences={"zh": "{a} wrong", "en": "{a} wrong"})
    kind: ClassVar = make("kind", kind="odd")


del Bad.no_code.code


@pytest.mark.parametrize("bad", ["no_code", "upper", "one_language", "slots", "english_only", "kind"])
def test_a_bad_error_is_seen(bad: str) -> None:
    assert faults([getattr(Bad, bad)])


def test_a_code_taken_twice_is_seen() -> None:
    assert len(faults([make("first", code="same"), make("second", code="same")])) == 2
    assert faults([make("first"), make("second")]) == []
