"""Sending: who is told, once, by which channel, in the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.notices.conftest import ASKER, QUIET_KIND, WAITING, Trial, reach, run, tell
from yunhe.core.jobs.models import OutboxEntry
from yunhe.core.notices import api
from yunhe.core.notices.api import registry
from yunhe.core.notices.errors import BadNotice, HalfQuietHours, NoMailbox, SlotsClosed, SlotTaken, UnknownNoticeKind
from yunhe.core.notices.models import Announcement, Dispatch, NoticeRow
from yunhe.core.notices.types import Preferences, ToPerson, ToRole
from yunhe.core.organizations import api as organizations
from yunhe.kernel.clock import frozen, local
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00 in China
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # 00:00 in China


def choose(member: object, *, wanted: set[tuple[str, str]], quiet: tuple[time, time] | None = None, language: str = "zh") -> None:
    start, end = quiet or (None, None)
    preferences = Preferences(frozenset(wanted), start, end, language)  # type: ignore[arg-type]
    api.set_preferences(preferences=preferences, actor=member.actor)  # type: ignore[attr-defined]


def test_one_notice_per_person_and_one_message_per_channel(cast: Cast, told: Trial) -> None:
    sent = tell(cast.officer, cast.clerk, cast.leader)
    assert (sent.notices, sent.messages, sent.is_new) == (3, 2, True)
    run()
    assert {letter.address for letter in told.letters} == {"officer@trial", "clerk@trial"}
    (notice,) = api.list_notices(request=PageRequest(), actor=cast.leader.actor).items
    assert (notice.title["zh"], notice.href, notice.kind_title["en"], notice.read_at) == ("有一件待办", "/inbox/", "Waiting", None)
    assert api.count_unread(actor=cast.leader.actor) == 1
    assert api.count_unread(actor=cast.steward.actor) == 0


def test_everybody_who_holds_a_role_now_is_told_once(cast: Cast, told: Trial) -> None:
    to = [ToRole(cast.owner.code, "officer"), ToRole(cast.owner.short_name, "data_leader"), ToPerson(cast.officer.actor.id)]
    with transaction.atomic():
        sent = api.send(to=to, kind=WAITING, title={"zh": "一"}, text={"zh": ""}, actor=ASKER)
    assert sent.notices == 2
    assert set(NoticeRow.objects.values_list("user_id", flat=True)) == {cast.officer.user_id, cast.leader.user_id}


def test_closed_and_unknown_accounts_are_passed_over(cast: Cast, told: Trial) -> None:
    organizations.close_user(username="officer", actor=ASKER)
    to = [ToPerson(cast.officer.actor.id), ToPerson("user:999999"), ToRole(cast.owner.code, "officer")]
    assert api.send(to=to, kind=WAITING, title={"zh": "一"}, text={"zh": "二"}, actor=ASKER).notices == 0


def test_an_account_closed_after_sending_gets_nothing_outside(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    organizations.close_user(username="officer", actor=ASKER)
    run()
    assert told.letters == []
    assert Dispatch.objects.get(announcement__isnull=False).state == "dropped"


@pytest.mark.parametrize("wrong", ["system:AK1", "operator", "user:", "user:x", "user:١", "user:" + "9" * 30, ""])
def test_who_is_no_person_is_refused(cast: Cast, trial: Trial, wrong: str) -> None:
    with pytest.raises(BadNotice):
        api.send(to=[ToPerson(wrong)], kind=WAITING, title={"zh": "一"}, text={"zh": "二"}, actor=ASKER)
    assert Announcement.objects.count() == 0


def test_an_unknown_kind_is_refused(cast: Cast, trial: Trial) -> None:
    with pytest.raises(UnknownNoticeKind):
        tell(cast.officer, kind="nobody.knows")


def test_the_second_with_the_same_key_is_the_first(cast: Cast, told: Trial) -> None:
    first = tell(cast.officer, key="case:7:waits")
    second = tell(cast.officer, cast.clerk, key="case:7:waits", title={"zh": "别的"})
    assert (second.announcement_id, second.notices, second.messages, second.is_new) == (first.announcement_id, 0, 0, False)
    assert tell(cast.officer, kind=QUIET_KIND, key="case:7:waits").is_new
    assert tell(cast.officer).is_new
    assert tell(cast.officer).is_new
    assert NoticeRow.objects.count() == 4


def test_what_is_rolled_back_told_nobody(cast: Cast, told: Trial) -> None:
    before = OutboxEntry.objects.count()
    with transaction.atomic():
        tell(cast.officer, key="k")
        transaction.set_rollback(True)
    run()
    assert (NoticeRow.objects.count(), Announcement.objects.count(), told.letters) == (0, 0, [])
    assert OutboxEntry.objects.count() == before
    assert tell(cast.officer, key="k").is_new


def test_kinds_and_channels_are_chosen_by_each_person(cast: Cast, told: Trial) -> None:
    assert (WAITING, "trial") in api.get_preferences(actor=cast.officer.actor).wanted
    choose(cast.officer, wanted={(QUIET_KIND, "trial")})
    assert tell(cast.officer, cast.clerk).messages == 1
    assert tell(cast.officer, cast.clerk, kind=QUIET_KIND).messages == 1
    run()
    assert [letter.address for letter in told.letters] == ["clerk@trial", "officer@trial"]
    assert api.count_unread(actor=cast.officer.actor) == 2  # the page itself cannot be switched off


def test_an_address_that_was_not_proven_is_not_used(cast: Cast, told: Trial) -> None:
    api.propose_contact(channel="trial", address="leader@trial", actor=cast.leader.actor)
    assert tell(cast.leader).messages == 0


def test_each_reads_their_own_language(cast: Cast, told: Trial) -> None:
    choose(cast.officer, wanted={(WAITING, "trial")}, language="en")
    tell(cast.officer, cast.clerk)
    run()
    tell(cast.officer, title={"zh": "只有中文"}, text={"zh": "正文"})
    run()
    assert sorted(letter.title for letter in told.letters) == ["Something waits", "只有中文", "有一件待办"]


def test_at_night_it_waits_until_the_morning(cast: Cast, told: Trial) -> None:
    choose(cast.officer, wanted={(WAITING, "trial")}, quiet=(time(22), time(7)))
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer, cast.clerk)
        run(3)
        assert [letter.address for letter in told.letters] == ["clerk@trial"]
        assert api.count_unread(actor=cast.officer.actor) == 1
        clock.advance(timedelta(hours=7, seconds=-1))
        run()
        assert len(told.letters) == 1
        clock.advance(timedelta(seconds=1))
        run()
        assert told.letters[-1].address == "officer@trial"
        assert local(clock.at).time() == time(7)


def test_quiet_hours_chosen_meanwhile_put_it_off(cast: Cast, told: Trial) -> None:
    choose(cast.officer, wanted={(WAITING, "trial")}, quiet=(time(22), time(7)))
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        run()
        choose(cast.officer, wanted={(WAITING, "trial")}, quiet=(time(22), time(8)))
        clock.advance(timedelta(hours=7))
        run(2)
        assert told.letters == []
        clock.advance(timedelta(hours=1))
        run()
        assert len(told.letters) == 1


def test_only_one_end_of_the_quiet_hours_is_refused(cast: Cast, trial: Trial) -> None:
    with pytest.raises(HalfQuietHours):
        api.set_preferences(preferences=Preferences(frozenset(), time(8), None, "zh"), actor=cast.officer.actor)


def test_who_is_no_person_has_no_preferences() -> None:
    with pytest.raises(NoMailbox):
        api.get_preferences(actor=ASKER)


def test_slots_close_with_start_up_and_are_filled_once(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    title = {"zh": "晚", "en": "Late"}
    with pytest.raises(SlotTaken):
        api.register_kind(code=WAITING, title=title)
    with pytest.raises(BadNotice):
        api.register_kind(code="x.y", title=title, default_channels=("pigeon",))
    api.register_sms(adapter=lambda message: None)
    with pytest.raises(SlotTaken):
        api.register_sms(adapter=lambda message: None)
    monkeypatch.setattr(registry, "apps", SimpleNamespace(ready=True))
    for register in (
        lambda: api.register_kind(code="x.z", title=title), lambda: api.register_sms(adapter=lambda message: None),
        lambda: api.register_channel(api.find_channel(code="trial")),
    ):  # fmt: skip
        with pytest.raises(SlotsClosed, match="Start-up is over"):
            register()


def test_a_removed_address_gets_nothing_more(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    api.remove_contact(channel="trial", actor=cast.officer.actor)
    run()
    assert told.letters == []
    assert tell(cast.officer).messages == 0
    reach(cast.officer, "new@trial")
    tell(cast.officer)
    run()
    assert [letter.address for letter in told.letters] == ["new@trial"]
