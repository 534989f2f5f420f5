"""The dry run on its pages: the last one is kept and shown with its time; that one is being made is said; a failed one names its group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_change_pages import PLAN, filled, permit, planned, posted, publish, with_fire  # noqa: F401
from tests.core.cases.test_migrating import drafted
from tests.core.cases.test_operators import accepted
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api import trials, trying
from yunhe.core.cases.forms.changes import key_of
from yunhe.core.cases.models import TrialRecord
from yunhe.core.cases.types import Case
from yunhe.core.cases.views import changes
from yunhe.kernel.clock import FrozenClock

pytestmark = pytest.mark.django_db
Permit = Callable[[], Case]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many cases each dry run moves that is made from here on."""
    made, real = list[int](), trying.try_plan

    def count(**told: Any) -> Any:
        dry = real(**told)
        made.append(dry.moved)
        return dry

    monkeypatch.setattr(trying, "try_plan", count)
    return made


def test_a_dry_run_is_kept_as_it_was_said(permit: Permit, cast: Cast) -> None:  # noqa: F811
    accepted(permit(), cast)
    publish(**with_fire())
    plan = planned(cast)
    (move,) = plan.moves
    for add, sound in (("fire", True), ("opinion", False)):
        one = replace(plan, moves=(replace(move, add=((add, ""),), limits="recount"),))
        told = api.make_trial(plan=one, actor=cast.data_admin.actor)
        assert told.dry.is_sound == sound
        found = api.find_trial(plan=replace(one, reason="另一个原因"), actor=cast.data_admin.actor)
        assert found == told and found is not None and found.is_current


def test_a_page_shows_the_last_dry_run_and_makes_none_while_nothing_went_on(
    permit: Permit, cast: Cast, clock: FrozenClock, tried: list[int]  # noqa: F811
) -> None:
    case = permit()
    publish(title="第二版")
    client = signed_in(cast.system_admin)
    address = f"/changes/{drafted(cast).migration_id}/"
    assert "试算于" in client.get(address).content.decode()
    assert "approve/" in client.get(address).content.decode() and tried == [1]
    accepted(case, cast)
    permit()
    assert "有 1 组办件不能照此移动" in client.get(address).content.decode()
    assert len(tried) == 2
    clock.advance(timedelta(days=trials.KEPT.days + 1))
    client = signed_in(cast.system_admin)
    client.post(f"{address}trial/")
    assert len(tried) == 3 and TrialRecord.objects.count() == 1


def test_of_many_cases_the_page_says_that_it_is_counting_and_then_shows_it(
    permit: Permit, cast: Cast, clock: FrozenClock, tried: list[int], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setattr(changes, "AT_ONCE", 1)
    case = permit()
    accepted(permit(), cast)
    publish(title="第二版")
    client = signed_in(cast.system_admin)
    address = f"/changes/{drafted(cast).migration_id}/"
    page = client.get(address).content.decode()
    assert "正在 2 件办件上试算" in page and f'hx-post="{address}trial/"' in page and tried == []
    assert "approve/" not in page  # nothing is approved before cases were tried
    done = client.post(f"{address}trial/", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"], tried) == (204, "true", [2])
    page = client.get(address).content.decode()
    assert "试算于" in page and "approve/" in page and "重新试算" in page and "hx-post" not in page.partition("<main")[2]
    accepted(case, cast)
    page = client.get(address).content.decode()
    assert "此后有办件办理过" in page and "hx-post" not in page.partition("<main")[2] and tried == [2]
    clock.advance(changes.FRESH)
    page = client.get(address).content.decode()
    assert "正在 2 件办件上试算" in page and "试算于" in page and "approve/" in page


def test_what_was_tried_is_drafted_without_another_dry_run(permit: Permit, cast: Cast, tried: list[int]) -> None:  # noqa: F811
    permit()
    publish(title="第二版")
    client = signed_in(cast.data_admin)
    checked = posted(client, "check").content.decode()
    assert "试算于" in checked and 'data-working="正在试算' in checked
    assert client.post(PLAN, {**filled(checked), "step": "draft", "reason": "改名"}).status_code == 302
    assert tried == [1]
    posted(client, "check")
    assert tried == [1, 1]  # who asks gets a new one


def test_a_failed_dry_run_takes_the_focus_and_leads_to_its_group(permit: Permit, cast: Cast) -> None:  # noqa: F811
    accepted(permit(), cast)
    publish(**with_fire())
    client = signed_in(cast.data_admin)
    (move,) = planned(cast).moves
    key = key_of(move)
    page = posted(client, "check", **{f"{key}-add_0": "opinion"}).content.decode()
    assert page.count('id="form-errors"') == 1 and f'<a href="#{key}-title">审查 + 会签 ×2</a>：' in page
    assert f'id="{key}-title" tabindex="-1"' in page
    page = posted(client, "check", **{f"{key}-phase": "nowhere"}).content.decode()
    assert page.count('id="form-errors"') == 1 and f'<a href="#{key}-title">' in page
    english = client.post(PLAN, {**filled(client.get(PLAN).content.decode()), f"{key}-add_0": "opinion", "step": "check"}, headers={"accept-language": "en"})
    assert "</a>: " in english.content.decode()
