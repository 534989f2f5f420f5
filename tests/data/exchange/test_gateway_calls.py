"""Calls through the gateway: users in the catalogue, each call once; the list of a grant's calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import Cast, Member
from tests.data import spine
from tests.data.exchange.world import gateway, grant, line, written
from yunhe.core.evidence.models import EvidenceRow, SegmentCursor
from yunhe.core.jobs.api import outbox
from yunhe.core.organizations.models import User
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange import api
from yunhe.data.exchange.api import rights_image
from yunhe.data.exchange.models import GrantCall
from yunhe.gateway.rights import read_image
from yunhe.kernel.errors import Missing, Refused
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)
KNOWN, UNKNOWN = spine.uscc(10_000_000), spine.uscc(99_999_999)


def signed_in(member: Member) -> Client:
    User.objects.filter(pk=member.user_id).update(must_change_password=False)
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    return client


def users(code: str, cast: Cast) -> list[tuple[str, str, int, str]]:
    found = catalog.list_users(code=code, actor=cast.steward.actor).items
    return [(use.consumer, use.channel, use.calls, use.purpose) for use in found]


def test_answered_calls_are_uses_of_the_resource(released: str, cast: Cast, tmp_path: Path) -> None:
    made = grant(released, cast)
    with gateway(cast, tmp_path) as opened:
        answers = [opened.call(made.grant_id, key).json() for key in (KNOWN, KNOWN, KNOWN, UNKNOWN)]
        refused = opened.call(made.grant_id, KNOWN, fields=["capital"])
        assert [answer["found"] for answer in answers] == [True, True, True, False], answers
        assert refused.json()["code"] == "field_not_granted"
        assert users(released, cast) == []
        assert opened.collect().added == 5

    assert users(released, cast) == [(cast.other.code, "gateway", 4, "核对参保企业")]
    assert catalog.get_resource(code=released).users == 1
    page = signed_in(cast.steward).get(reverse("catalog:tab", args=[released, "users"])).content.decode()
    assert cast.other.short_name in page and "接口" in page


def test_the_same_segment_counts_once(released: str, cast: Cast, tmp_path: Path) -> None:
    spool = written(tmp_path / "spool", *(line(released, cast, facts={"grant": new_id()}) for _ in range(3)))
    assert spool.collect().added == 3
    SegmentCursor.objects.all().delete()
    assert spool.collect().known == 3
    assert users(released, cast) == [(cast.other.code, "gateway", 3, "核对")]
    assert GrantCall.objects.count() == 3


def test_an_importer_that_dies_midway_has_counted_nothing(
    released: str, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = written(tmp_path / "spool", *(line(released, cast, facts={"grant": new_id()}) for _ in range(3)))

    def die(*args: object, **more: object) -> None:
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr(SegmentCursor, "save", die)
        SegmentCursor.objects.bulk_create([SegmentCursor(folder=str(spool.spool.resolve()), collected_at="2024-05-01T00:00Z")])
        with pytest.raises(SystemExit):
            spool.collect()
    assert (users(released, cast), GrantCall.objects.count()) == ([], 0)
    assert not EvidenceRow.objects.filter(kind="gateway.query").exists()

    assert spool.collect().added == 3
    assert users(released, cast) == [(cast.other.code, "gateway", 3, "核对")]


def test_what_cannot_be_counted_holds_up_no_evidence(
    released: str, cast: Cast, tmp_path: Path
) -> None:
    spool = written(
        tmp_path / "spool",
        line("300009/0001", cast),
        line(released, cast, facts={"grant": "x" * 300, "outcome": ["found"]}),
        line(released, cast, facts={"grant": 7}),
        line(released, cast, organization="", facts={"outcome": "refused"}),
        line(released, cast, organization=cast.owner.code),
        line(released, cast, kind="gateway.refused"),
    )
    assert spool.collect().added == 6
    assert users(released, cast) == [(cast.other.code, "gateway", 1, "核对")]
    assert GrantCall.objects.count() == 0


def test_a_batch_is_one_use_per_resource_and_consumer(
    released: str, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, str]] = []
    monkeypatch.setattr(
        catalog, "record_use", lambda **use: told.append((use["consumer"], use["calls"], use["at"].isoformat()))
    )
    later = {"at": "2024-05-01T01:00:00+00:00"}
    spool = written(
        tmp_path / "spool",
        line(released, cast, **later),
        line(released, cast),
        line(released, cast, organization=cast.bureau.code),
    )
    spool.collect()
    first = "2024-05-01T00:00:00.000001+00:00"
    assert sorted(told) == sorted([(cast.bureau.code, 1, first), (cast.other.code, 2, later["at"])])


def test_a_grants_calls_are_paged_with_their_right_total(released: str, cast: Cast, tmp_path: Path) -> None:
    one, two = grant(released, cast), grant(released, cast)
    lines = [
        line(released, cast, facts={"grant": made.grant_id, "outcome": outcome, "code": "field_not_granted"})
        for outcome in ("found", "refused", "not_found")
        for made in [one] * 15 + [two] * 100
    ]
    written(tmp_path / "spool", *lines).collect()
    mine = [each["id"] for each in reversed(lines) if each["facts"]["grant"] == one.grant_id]

    def listed(page: int, member: Member = cast.clerk) -> tuple[list[str], int]:
        found = api.list_calls(grant_id=one.grant_id, request=PageRequest(page=page, size=20), actor=member.actor)
        return [record.id for record in found.items], found.total

    assert listed(1) == (mine[:20], 45)
    assert listed(3, cast.leader) == (mine[40:], 45)
    assert listed(4) == ([], 45)
    with pytest.raises(Missing):
        listed(1, cast.bureau_clerk)
    assert listed(1, cast.data_admin) == ([], 0)  # sees every grant, and the evidence of the bureau only
    with pytest.raises(Refused):
        listed(1, cast.officer)  # sees the owner's grants, and no evidence

    href = f"/exchange/grants/{one.grant_id}/"
    steward = signed_in(cast.clerk)
    (first, last) = (steward.get(href).content.decode(), steward.get(f"{href}?page=3").content.decode())
    assert '<span class="num">45</span>' in first and f"{href}?page=3" in first
    assert mine[19] in first and mine[20] not in first and mine[44] in last
    seen = signed_in(cast.officer).get(href)
    assert seen.status_code == 200
    assert "yh-list" not in seen.content.decode()


def test_a_withdrawn_resource_is_refused_as_soon_as_the_withdrawal_commits(
    released: str, cast: Cast, tmp_path: Path
) -> None:
    made = grant(released, cast)
    before = read_image(api.rights_image_path())
    assert before.grants[made.grant_id].state == "active"
    catalog.withdraw_resource(code=released, reason="停用", actor=cast.leader.actor)
    after = read_image(api.rights_image_path())
    assert (after.version, after.grants[made.grant_id].state) == (before.version + 1, "suspended")


def test_an_image_that_could_not_be_written_at_the_commit_comes_by_the_outbox(
    released: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = grant(released, cast)
    outbox.deliver_pending()

    def fail(*args: object) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as full:
        full.setattr(rights_image, "write_image", fail)
        catalog.withdraw_resource(code=released, reason="停用", actor=cast.leader.actor)
    assert read_image(api.rights_image_path()).grants[made.grant_id].state == "active"
    outbox.deliver_pending()
    assert read_image(api.rights_image_path()).grants[made.grant_id].state == "suspended"
