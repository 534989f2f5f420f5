"""An address is used once a code came back from it; neither stands anywhere in the clear."""

from __future__ import annotations

import json
import re
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from tests.conftest import Cast, Member
from tests.core.notices.conftest import ASKER, Trial, dead, run
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs.models import Job, OutboxEntry
from yunhe.core.notices import api
from yunhe.core.notices.channels import sms
from yunhe.core.notices.errors import (
    AddressRefused,
    BadAddress,
    CodeExpired,
    CodeTooSoon,
    ContactNotFound,
    NoMailbox,
    UnknownChannel,
    WrongCode,
)
from yunhe.core.notices.models import ContactRow, Dispatch
from yunhe.core.notices.types import Contact, Preferences
from yunhe.kernel.clock import frozen, local, now

pytestmark = pytest.mark.django_db
NUMBER = "13800138000"


@pytest.fixture
def spool(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """The node's home for keys stays; SMS go to a folder of the test."""
    monkeypatch.setattr(sms, "settings", SimpleNamespace(HOME=tmp_path))
    return tmp_path


def codes(spool: Any, at: datetime | None = None) -> list[str]:
    path = spool / "spool" / "sms" / f"{local(at or now()):%Y-%m-%d}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [re.findall(r"\b[0-9]{6}\b", json.loads(line)["text"])[0] for line in lines]


def propose(member: Member, address: str = NUMBER) -> Contact:
    return api.propose_contact(channel="sms", address=address, actor=member.actor)


def verify(member: Member, code: str) -> Contact:
    return api.verify_contact(channel="sms", code=code, actor=member.actor)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_code_that_was_sent_proves_the_address(cast: Cast, trial: Trial, spool: Any) -> None:
    assert propose(cast.officer).verified_at is None
    run()
    (code,) = codes(spool)
    contact = verify(cast.officer, f" {code} ")
    assert contact.verified_at and contact.masked == "138****8000"
    with pytest.raises(CodeExpired):
        verify(cast.officer, code)


def test_neither_number_nor_code_stands_anywhere_in_the_clear(cast: Cast, trial: Trial, spool: Any) -> None:
    contact = propose(cast.officer)
    run()
    (code,) = codes(spool)
    verify(cast.officer, code)
    stored = ""
    with connection.cursor() as cursor:
        for model in (ContactRow, Dispatch, Job, OutboxEntry, EvidenceRow):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            stored += repr([tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()])
    assert NUMBER not in stored and NUMBER not in repr(contact)
    assert f"'{code}'" not in stored and f"{code}，" not in stored
    assert EvidenceRow.objects.filter(kind="notices.contact_verified", subject_id=str(cast.officer.user_id)).count() == 1


def test_ten_minutes_and_not_a_second_more(cast: Cast, trial: Trial, spool: Any) -> None:
    with frozen(now()) as clock:
        propose(cast.officer)
        run()
        (code,) = codes(spool)
        clock.advance(timedelta(minutes=10))
        with pytest.raises(CodeExpired):
            verify(cast.officer, code)
        clock.advance(timedelta(microseconds=-1))
        assert verify(cast.officer, code).verified_at


def test_five_tries_and_then_not_even_the_right_one(cast: Cast, trial: Trial, spool: Any) -> None:
    propose(cast.officer)
    with pytest.raises(CodeExpired):
        verify(cast.officer, "000000")  # none was sent yet
    run()
    (code,) = codes(spool)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongCode) as said:
            verify(cast.officer, other_than(code))
        assert said.value.facts["left"] == left
    with pytest.raises(CodeExpired):
        verify(cast.officer, code)


@pytest.mark.parametrize("typed", ["", "abc", "１２３４５６", "1" * 20])
def test_what_is_no_code_is_a_wrong_one(cast: Cast, trial: Trial, spool: Any, typed: str) -> None:
    propose(cast.officer)
    run()
    with pytest.raises(WrongCode):
        verify(cast.officer, typed)


def test_a_new_code_voids_the_old_one_and_needs_a_pause(cast: Cast, trial: Trial, spool: Any) -> None:
    with frozen(datetime.fromisoformat("2026-11-23T04:00:00+00:00")) as clock:
        propose(cast.officer)
        run()
        for again in (lambda: api.resend_code(channel="sms", actor=cast.officer.actor), lambda: propose(cast.officer, "13900139000")):
            with pytest.raises(CodeTooSoon):
                again()
        api.remove_contact(channel="sms", actor=cast.officer.actor)
        with pytest.raises(CodeTooSoon):
            propose(cast.officer, "13900139000")
        clock.advance(timedelta(seconds=60))
        propose(cast.officer)
        run()
        first, second = codes(spool)
        if first != second:
            with pytest.raises(WrongCode):
                verify(cast.officer, first)
        assert verify(cast.officer, second).verified_at


def test_a_changed_address_is_not_used_until_it_is_proven(cast: Cast, trial: Trial, spool: Any) -> None:
    with frozen(now()) as clock:
        propose(cast.officer)
        run()
        verify(cast.officer, codes(spool, clock.at)[-1])
        clock.advance(timedelta(minutes=2))
        assert propose(cast.officer, "13900139000").verified_at is None
        with pytest.raises(ContactNotFound):
            api.resend_code(channel="sms", actor=cast.clerk.actor)


def test_a_code_that_cannot_be_sent_is_told_to_who_asked(cast: Cast, trial: Trial) -> None:
    trial.errors["*"] = AddressRefused(where="trial", reason_zh="查无此人", reason_en="nobody")
    api.propose_contact(channel="trial", address="x@trial", actor=cast.officer.actor)
    run(2)
    (failure,) = api.list_failures(actor=cast.officer.actor)
    assert (failure.title["zh"], failure.channel) == ("验证码", "trial")
    assert len(dead()) == 1


def test_a_code_speaks_ones_language_and_ignores_the_night(cast: Cast, trial: Trial) -> None:
    api.set_preferences(preferences=Preferences(frozenset(), time(0), time(23, 59), "en"), actor=cast.officer.actor)
    with frozen(datetime.fromisoformat("2026-11-23T04:00:00+00:00")):
        api.propose_contact(channel="trial", address="x@trial", actor=cast.officer.actor)
        run()
    (letter,) = trial.letters
    assert re.search(r"[0-9]{6} is your code", letter.text) and letter.kind == "notices.code"


def test_anothers_address_is_not_found(cast: Cast, trial: Trial, spool: Any) -> None:
    propose(cast.officer)
    run()
    (code,) = codes(spool)
    for act in (
        lambda: verify(cast.clerk, code), lambda: api.remove_contact(channel="sms", actor=cast.clerk.actor),
        lambda: api.resend_code(channel="sms", actor=cast.clerk.actor),
    ):  # fmt: skip
        with pytest.raises(ContactNotFound):
            act()
    assert api.list_contacts(actor=cast.clerk.actor) == ()
    assert len(api.list_contacts(actor=cast.officer.actor)) == 1


def test_what_cannot_be_ones_own_is_refused(cast: Cast, trial: Trial) -> None:
    for channel in ("webhook", "in_app", "pigeon"):
        with pytest.raises(UnknownChannel):
            api.propose_contact(channel=channel, address="x", actor=cast.officer.actor)
    with pytest.raises(BadAddress):
        propose(cast.officer, "12345")
    with pytest.raises(NoMailbox):
        api.propose_contact(channel="sms", address=NUMBER, actor=ASKER)
    assert ContactRow.objects.exclude(sealed=b"").count() == 0
