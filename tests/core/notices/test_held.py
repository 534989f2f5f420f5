"""What is held by quiet hours: it follows what is chosen meanwhile, goes to nobody who left, tells of nothing done, and goes once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast, Member
from tests.core.notices.conftest import ASKER, QUIET_KIND, WAITING, Trial, reach, run, tell
from tests.core.notices.test_send import MIDNIGHT, choose
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.models import Job
from yunhe.core.notices import api
from yunhe.core.notices.api import delivery, registry
from yunhe.core.notices.api.held import GATHER, MOST_GATHER
from yunhe.core.notices.errors import AddressRefused, ChannelUnavailable, EmptyQuietHours
from yunhe.core.notices.models import Dispatch
from yunhe.core.notices.rules import after_quiet
from yunhe.core.notices.types import Preferences, ToPerson, ToRole
from yunhe.core.organizations import api as organizations
from yunhe.kernel.clock import SHANGHAI, frozen, local, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
NIGHT = (time(22), time(7))
BOTH = {(WAITING, "trial"), (QUIET_KIND, "trial")}
MORNING = timedelta(hours=7)
AWAY = ChannelUnavailable(where="trial", reason_zh="没有应答", reason_en="no answer")


@pytest.fixture
def asleep(cast: Cast, told: Trial) -> Trial:
    """The officer sleeps from ten to seven."""
    choose(cast.officer, wanted=BOTH, quiet=NIGHT)
    return told


def reasons(member: Member) -> list[str]:
    return [one.reason["zh"] for one in api.list_failures(actor=member.actor) if one.is_dropped]


def test_quiet_hours_emptied_meanwhile_let_it_go_at_once(cast: Cast, asleep: Trial) -> None:
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        run(2)
        assert asleep.letters == []
        choose(cast.officer, wanted=BOTH)
        run()
        assert len(asleep.letters) == 1
        clock.advance(MORNING)
        run(2)
        assert len(asleep.letters) == 1


def test_quiet_hours_that_end_earlier_let_it_go_earlier(cast: Cast, asleep: Trial) -> None:
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        run()
        choose(cast.officer, wanted=BOTH, quiet=(time(22), time(6)))
        clock.advance(timedelta(hours=6, seconds=-1))
        run()
        assert asleep.letters == []
        clock.advance(timedelta(seconds=1))
        run()
        assert len(asleep.letters) == 1


def test_what_is_unticked_meanwhile_is_dropped_and_says_why(cast: Cast, asleep: Trial) -> None:
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        run()
        choose(cast.officer, wanted={(QUIET_KIND, "trial")})
        assert reasons(cast.officer) == ["没有发出：已不再选择用这个渠道接收这类通知。"]
        choose(cast.officer, wanted=BOTH)
        clock.advance(MORNING)
        run(2)
    assert asleep.letters == []


def test_what_is_unticked_before_the_outbox_is_read_is_dropped_too(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    choose(cast.officer, wanted=set())
    run(2)
    assert told.letters == [] and len(reasons(cast.officer)) == 1


def test_who_left_gets_nothing_of_where_they_were(cast: Cast, asleep: Trial) -> None:
    with frozen(datetime.combine(local(now()).date() + timedelta(days=1), time(0), tzinfo=SHANGHAI)) as clock:
        api.send(to=[ToRole(cast.owner.code, "officer")], kind=WAITING, title={"zh": "岗位的秘密"}, text={"zh": "原因"}, actor=ASKER)
        api.send(to=[ToPerson(cast.officer.actor.id)], kind=WAITING, title={"zh": "本人的"}, text={"zh": ""}, actor=ASKER)
        run()
        organizations.end_membership(membership_id=cast.officer.membership_id, actor=ASKER)
        clock.advance(MORNING)
        run(2)
        assert [letter.title for letter in asleep.letters if letter.address == "officer@trial"] == ["本人的"]
        assert reasons(cast.officer) == ["没有发出：收件人已不在通知所指的单位或岗位。"]
        assert "秘密" not in str(api.list_failures(actor=cast.officer.actor))


def test_what_asks_for_nothing_any_more_is_dropped(cast: Cast, asleep: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def still(keys: Any, person: str) -> set[str]:
        asked.append((sorted(keys), person))
        return {"B"}

    api.register_kind(code="x.asked", title={"zh": "催", "en": "Asked"}, default_channels=("trial",), still=still)
    with frozen(MIDNIGHT) as clock:
        for title, about in (("办完的", ["A"]), ("没办完的", ["A", "B"]), ("不问的", [])):
            api.send(to=[ToPerson(cast.officer.actor.id)], kind="x.asked", title={"zh": title}, text={"zh": ""}, about=about, actor=ASKER)
        choose(cast.officer, wanted={("x.asked", "trial")}, quiet=NIGHT)
        run()
        clock.advance(MORNING)
        run(2)
    (letter,) = asleep.letters
    assert [one.titles["zh"] for one in letter.items] == ["没办完的", "不问的"]
    assert (["A", "B"], cast.officer.actor.id) in asked
    assert reasons(cast.officer) == ["没有发出：所说的事已经办完，或已不由收件人办。"]


def test_what_was_held_goes_in_one_message(cast: Cast, asleep: Trial) -> None:
    with frozen(MIDNIGHT) as clock:
        for number in range(7):
            tell(cast.officer, title={"zh": f"第{number}件", "en": f"No {number}"}, text={"zh": "请尽快", "en": "Soon"})
            clock.advance(timedelta(minutes=30))
        run()
        clock.move_to(MIDNIGHT + MORNING)
        run(2)
        (letter,) = asleep.letters
        assert (letter.title, letter.text) == ("待办提醒：7 条", "第0件；第1件；第2件；第3件；第4件；等 7 条\n请尽快")
        assert letter.texts["en"] == "No 0; No 1; No 2; No 3; No 4; … 7 in all\nSoon" and letter.titles["en"] == "Waiting: 7"
        assert len(letter.items) == 7 and letter.kind == WAITING
        assert set(Dispatch.objects.filter(announcement__isnull=False).values_list("state", flat=True)) == {"sent"}
        tell(cast.officer, text={"zh": "甲"})
        tell(cast.officer, kind=QUIET_KIND, text={"zh": "乙"})
        run(2)
    assert asleep.letters[-1].title == "2 条通知" and asleep.letters[-1].text == "有一件待办（甲）；有一件待办（乙）"


def test_what_goes_together_is_tried_again_together_and_with_one_id(cast: Cast, told: Trial) -> None:
    told.errors["*"] = AWAY
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        tell(cast.officer)
        run(2)
        assert told.asked == 1
        tell(cast.officer, title={"zh": "后来的"})
        told.errors.clear()
        clock.advance(timedelta(minutes=2))
        run(2)
    together, alone = sorted(told.letters, key=lambda letter: letter.id)
    assert (len(together.items), alone.title) == (2, "后来的")
    assert together.id == Dispatch.objects.filter(announcement__isnull=False).order_by("id")[0].pk


def test_what_goes_together_fails_together_and_its_retry_sends_all(cast: Cast, told: Trial) -> None:
    told.errors["*"] = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
    tell(cast.officer)
    tell(cast.officer)
    run(2)
    (letter,) = outbox.list_dead(request=PageRequest(size=50), actor=ASKER).items
    assert Dispatch.objects.filter(state="failed").count() == 2
    told.errors.clear()
    outbox.retry_dead(delivery_id=letter.delivery_id, actor=ASKER)
    run(2)
    assert [len(one.items) for one in told.letters] == [2] and not Dispatch.objects.exclude(state__in=("sent", "dropped")).exists()


def test_of_two_workers_one_takes_the_other_message_along(cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(cast.officer)
    tell(cast.officer)
    outbox.deliver_pending()
    send, inner = told.deliver, list[int]()

    def meanwhile(letter: Any) -> None:
        if not inner:
            inner.append(1)
            jobs.run_pending()  # another worker, while this one speaks to the other side
        send(letter)

    way = api.find_channel(code="trial")
    monkeypatch.setitem(registry._channels, "trial", type(way)(**{name: getattr(way, name) for name in way.__slots__} | {"deliver": meanwhile}))
    run(2)
    assert [len(letter.items) for letter in told.letters] == [2]


def test_a_round_of_two_hundred_is_one_message(cast: Cast, told: Trial) -> None:
    api.register_kind(code="x.round", title={"zh": "催办", "en": "Reminders"}, default_channels=("trial",), comes_in_rounds=True)
    with frozen(MIDNIGHT) as clock:
        for number in range(200):
            tell(cast.officer, cast.clerk, kind="x.round", title={"zh": f"件{number}"}, text={"zh": "请尽快"})
            clock.advance(timedelta(milliseconds=300))
            if number % 20 == 0:
                run()
        run()
        assert told.letters == []
        clock.advance(GATHER)
        run(2)
        assert sorted(letter.address for letter in told.letters) == ["clerk@trial", "officer@trial"]
        assert all((letter.title, letter.text) == ("催办：200 条", "件0；件1；件2；件3；件4；等 200 条\n请尽快") for letter in told.letters)
        assert api.count_unread(actor=cast.officer.actor) == 200
        clock.advance(timedelta(days=1))
        run(2)
        assert len(told.letters) == 2


def test_a_round_that_does_not_end_is_told_every_ten_minutes(cast: Cast, told: Trial) -> None:
    api.register_kind(code="x.round", title={"zh": "催办", "en": "Reminders"}, default_channels=("trial",), comes_in_rounds=True)
    with frozen(MIDNIGHT) as clock:
        for _ in range(60):
            tell(cast.officer, kind="x.round")
            clock.advance(timedelta(seconds=20))
            run()
        assert 1 <= len(told.letters) <= 2
        clock.advance(MOST_GATHER)
        run(2)
    assert sum(max(len(letter.items), 1) for letter in told.letters) == 60


def test_what_is_urgent_comes_through_only_for_who_chose_so(cast: Cast, told: Trial) -> None:
    reach(cast.leader, "leader@trial")
    choose(cast.leader, wanted=BOTH, quiet=NIGHT)
    preferences = Preferences(frozenset(BOTH), *NIGHT, "zh", urgent_through=True)
    assert api.set_preferences(preferences=preferences, actor=cast.officer.actor).urgent_through
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer, cast.leader, title={"zh": "平常的"})
        tell(cast.officer, cast.leader, title={"zh": "督办"}, is_urgent=True)
        run(2)
        assert [(letter.address, letter.title) for letter in told.letters] == [("officer@trial", "督办")]
        api.set_preferences(preferences=Preferences(frozenset(BOTH), *NIGHT, "zh", urgent_through=True), actor=cast.leader.actor)
        run()
        assert [(letter.address, letter.title) for letter in told.letters[1:]] == [("leader@trial", "督办")]
        clock.advance(MORNING)
        run(2)
        assert sorted((letter.address, letter.title) for letter in told.letters[2:]) == [("leader@trial", "平常的"), ("officer@trial", "平常的")]


def test_the_same_hour_twice_is_no_quiet_time(cast: Cast, trial: Trial) -> None:
    with pytest.raises(EmptyQuietHours, match="08:00"):
        choose(cast.officer, wanted=set(), quiet=(time(8), time(8, 0, 30)))


@pytest.mark.parametrize("back", [timedelta(0), timedelta(hours=2), timedelta(hours=14), timedelta(hours=15), timedelta(days=3, hours=16)])
def test_a_worker_that_was_down_when_they_ended_sends_once(cast: Cast, asleep: Trial, back: timedelta) -> None:
    """It is back in the morning, by day, at the last minute before the next night, or in the night after that."""
    with frozen(MIDNIGHT) as clock:
        tell(cast.officer)
        outbox.deliver_pending()
        clock.advance(MORNING + back)
        for _ in range(40):
            jobs.reap()
            delivery.pick_up_stranded()
            before = len(asleep.letters)
            run()
            if len(asleep.letters) > before:
                assert time(7) <= local(clock.at).time() < time(22)
            clock.advance(timedelta(minutes=30))
    assert len(asleep.letters) == 1


def test_a_worker_that_dies_as_they_end_sends_once(cast: Cast, asleep: Trial) -> None:
    with frozen(MIDNIGHT) as clock:
        for _ in range(3):
            tell(cast.officer)
        outbox.deliver_pending()
        clock.advance(MORNING)
        Job.objects.filter(name="notices.deliver").update(state="running", holder="gone", lease_until=clock.at, attempts=1)
        for _ in range(30):
            clock.advance(timedelta(minutes=10))
            jobs.reap()
            delivery.pick_up_stranded()
            run()
    assert [len(letter.items) for letter in asleep.letters] == [3]


def in_quiet(at: datetime, start: time, end: time) -> bool:
    clock = local(at).time()
    return (clock >= start or clock < end) if start > end else start <= clock < end


CLOCKS_WERE_TURNED = {"min_value": datetime(1986, 4, 20), "max_value": datetime(1991, 10, 1)}  # noqa: DTZ001  source: tzdata, PRC daylight saving


@given(st.datetimes(timezones=st.just(UTC), **CLOCKS_WERE_TURNED), st.times(), st.times())
def test_where_clocks_are_turned_nothing_is_held_for_ever_or_let_go_before(moment: datetime, start: time, end: time) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    due = after_quiet(moment, start=start, end=end)
    assert moment <= due <= moment + timedelta(hours=25)
    if start != end:
        assert (due == moment) == (not in_quiet(moment, start, end))
        assert not in_quiet(due, start, end)
