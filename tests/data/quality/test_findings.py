"""Findings by who asks: exact for those who may see the rows, floored for others, in every list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast, Member, load_national
from tests.data import spine
from yunhe.core.organizations.models import User
from yunhe.data.catalog import api as catalog
from yunhe.data.lake import api as lake
from yunhe.data.quality import api
from yunhe.data.quality.errors import NotJudgedYet
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source(db: None, tmp_path: Path, settings: Any) -> Path:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()
    return tmp_path / "a.csv"


def wrong(number: int) -> list[object]:
    """Return a row whose code has a wrong check digit."""
    code = spine.uscc(20_000_000 + number)
    return [code[:-1] + spine.ALPHABET[(spine.ALPHABET.index(code[-1]) + 1) % 31], f"错{number}", "2020-01-01", "329901", 1]


def loaded(source: Path, cast: Cast, *, failing: int, good: int = 200) -> str:
    spine.write_csv(source, [*spine.rows(good), *(wrong(n) for n in range(failing))])
    code = spine.publish(source, cast.owner.code)
    done = spine.load(code, cast.steward.actor)
    assert done.state == "successful", done.error
    return code


def failed(code: str, actor: Actor, cast: Cast) -> tuple[int | None, dict[str, int]]:
    found = {f.rule: f for f in api.list_findings(code=code, actor=actor, owner=cast.owner.code)}["uscc.uscc"]
    return found.told_failed, dict(found.reasons)


def page(member: Member, href: str) -> str:
    User.objects.filter(pk=member.user_id).update(must_change_password=False)
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    answer = client.get(href)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def test_who_may_see_the_rows_sees_every_count_others_only_what_reaches_the_floor(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=4)
    assert failed(code, cast.steward.actor, cast) == (4, {"check_digit": 4})
    assert failed(code, cast.leader.actor, cast) == (None, {})
    with pytest.raises(Refused):
        api.list_findings(code=code, actor=cast.clerk.actor, owner=cast.owner.code)


def test_from_the_floor_on_everyone_with_the_right_sees_the_count(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=10)
    assert failed(code, cast.leader.actor, cast) == failed(code, cast.steward.actor, cast) == (10, {"check_digit": 10})


def test_scores_lists_runs_and_pages_give_no_hidden_count_back(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=4)
    exact = {s.dimension: s for s in api.score(code=code, actor=cast.steward.actor, owner=cast.owner.code)}
    seen = {s.dimension: s for s in api.score(code=code, actor=cast.leader.actor, owner=cast.owner.code)}
    dimension = next(name for name, score in exact.items() if score.passed < score.checked)
    assert exact[dimension].checked - exact[dimension].passed == 4
    assert (seen[dimension].checked - seen[dimension].passed, seen[dimension].at_least) == (9, True)
    owners = {code: cast.owner.code}
    assert api.latest_shares(owners=owners, actor=cast.steward.actor)[code].failing_keys == 4
    run = api.latest_shares(owners=owners, actor=cast.leader.actor)[code]
    assert (run.failing_keys, run.at_least) == (9, True)
    assert api.latest_shares(owners=owners, actor=cast.clerk.actor) == {}
    assert "&lt; 10" in page(cast.leader, f"/quality/findings/{code}/") and "&lt; 10" not in page(cast.steward, f"/quality/findings/{code}/")
    assert "≤ 9" in page(cast.leader, "/quality/")


def test_the_ledger_tells_everyone_shares_by_field_but_no_small_count(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=4)
    resource = catalog.get_resource(code=code)
    rules = sum(1 for f in api.list_findings(code=code, actor=cast.steward.actor, owner=cast.owner.code) if "uscc" in f.columns)
    told = resource.field_quality["uscc"]
    assert (told.failed, told.null_share) == (9, 0.0)
    assert told.share == 1 - 9 / (204 * rules)
    assert resource.field_quality["capital"].null_share == 40 / 204  # every fifth of the 200 good rows
    assert (resource.failing_rows, resource.counts["below"]) == (9, 10)
    assert "不合格不超过 9 处" in page(cast.clerk, f"/ledger/{code}/")


def test_a_roll_back_tells_the_ledger_of_the_snapshot_it_returns_to(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=40)
    first = catalog.get_resource(code=code)
    release = lake.current_release(code=code)
    spine.write_csv(source, spine.rows(12))
    spine.load(code, cast.steward.actor)
    assert catalog.get_resource(code=code).field_quality["uscc"].failed == 0
    lake.roll_back(code=code, release_id=release.release_id, reason="演示", actor=job_actor("tests"))
    again = catalog.get_resource(code=code)
    assert (again.field_quality, again.failing_rows, again.share) == (first.field_quality, 40, first.share)


def test_a_release_opens_to_its_load_for_those_who_may_see_loads(source: Path, cast: Cast) -> None:
    code = loaded(source, cast, failing=0)
    load = lake.current_release(code=code).load_id
    assert f"/lake/loads/{load}/" in page(cast.steward, f"/ledger/{code}/loads/")
    assert f"/lake/loads/{load}/" not in page(cast.clerk, f"/ledger/{code}/loads/")


def test_before_the_first_load_nothing_is_judged(source: Path, cast: Cast) -> None:
    code = spine.publish(spine.write_csv(source, spine.rows(3)), cast.owner.code)
    with pytest.raises(NotJudgedYet):
        api.list_findings(code=code, actor=cast.steward.actor, owner=cast.owner.code)
    with pytest.raises(NotJudgedYet):
        api.tell_everyone(code=code, snapshot_id=1)
