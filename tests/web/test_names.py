"""Every kind of evidence that the code writes has a name that people read."""

from __future__ import annotations

import re
from pathlib import Path

from django.utils import translation

import yunhe
from yunhe.ui.names import names_of
from yunhe.web.names import EVIDENCE_KINDS

SOURCE = Path(yunhe.__file__).parent
KIND = re.compile(r'(?:\bkind=|\bKIND = |_record\(\s*|_prove\(\s*)"([a-z]+\.[a-z_]+)"')
ENTRY_CHANGE = re.compile(r'note_change\([^)"]*"([a-z_]+)"')


def written_kinds() -> set[str]:
    """What the code gives to evidence, found by the few ways in which it says so."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        if "evidence" in text or "KIND" in text:
            found.update(KIND.findall(text))
        found.update(f"register.{change}" for change in ENTRY_CHANGE.findall(text))
    return found


def test_every_kind_of_evidence_has_a_name_in_both_languages() -> None:
    kinds = written_kinds()
    assert len(kinds) > 15
    assert kinds - EVIDENCE_KINDS.keys() == set()
    assert all(name["zh"] and name["en"] for name in EVIDENCE_KINDS.values())


def test_permissions_of_every_room_have_names() -> None:
    named = names_of("permission", ["ledger.view", "jobs.manage", "exchange.decide"])
    assert all(not isinstance(name, str) for name in named.values())


def test_every_refusal_of_a_call_has_words() -> None:
    from yunhe.data.exchange.words import REFUSALS
    from yunhe.gateway import errors

    refusals = errors.GatewayRefusal.__subclasses__()
    assert len(refusals) > 8
    before_the_call = {"no_such_path", "method_not_allowed", "body_too_large", "body_too_slow"}
    assert {one.code for one in refusals} - REFUSALS.keys() <= before_the_call


def test_reasons_of_rows_are_words_with_the_title_of_the_field() -> None:
    from yunhe.data.exchange.words import reason_words

    with translation.override("zh-hans"):
        assert reason_words("key_missing, cast:born", {"born": "出生日期"}, "quarantine") == "主键为空，类型不符：出生日期"
        assert reason_words("check_digit", {}, "failing_keys") == "校验码不符"
        assert reason_words("of_no_name", {}, "rejected") == "of_no_name"
