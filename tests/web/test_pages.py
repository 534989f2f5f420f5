"""Every page of the platform's own rooms renders in both languages, for those who may see it and nobody else."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import Cast, Member
from tests.web.conftest import SignIn
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations import models
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
PAGES = {
    "system_admin": (
        "/", "/account", "/membership", "/organizations/", "/organizations/?q=zz", "/organizations/new/", "/organizations/regions/",
        "/organizations/regions/?parent=329900", "/organizations/users/", "/organizations/users/new/",
        "/organizations/users/clerk/", "/organizations/users/clerk/password/", "/organizations/users/clerk/close/",
        "/organizations/roles/", "/organizations/roles/officer/", "/organizations/11329900003299028F/",
        "/organizations/11329900003299028F/end/", "/jobs/", "/jobs/dead/", "/packs/", "/packs/national/", "/packs/national/load/",
    ),
    "security_admin": ("/organizations/users/clerk/memberships/new/", "/packs/"),
    "audit_admin": ("/evidence/", "/evidence/?since=2026-01-01&until=2026-12-31", "/jobs/"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _settled(cast: Cast) -> None:
    models.User.objects.update(must_change_password=False)


def member(cast: Cast, name: str) -> Member:
    found: Member = getattr(cast, name)
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_render(cast: Cast, sign_in: SignIn, name: str, language: str) -> None:
    browser = sign_in(member(cast, name), language)
    for path in PAGES[name]:
        answer = browser.get(path)
        html = answer.content.decode()
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert f'<html lang="{"en" if language == "en" else "zh-Hans"}">' in html
        assert len(re.findall(r"<h1[ >]", html)) == 1, path
        assert len(re.findall(r"<main ", html)) == 1, path
        assert answer["Cache-Control"] in (
            "private, no-store",
            "max-age=0, no-cache, no-store, must-revalidate, private",
        ), path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("clerk", "/organizations/new/"),
        ("clerk", "/organizations/users/new/"),
        ("clerk", "/organizations/users/leader/close/"),
        ("system_admin", "/organizations/users/clerk/memberships/new/"),
        ("clerk", "/packs/national/load/"),
        ("system_admin", "/evidence/"),
        ("officer", "/jobs/"),
    ],
)
def test_who_may_not_is_refused(cast: Cast, sign_in: SignIn, name: str, path: str) -> None:
    browser = sign_in(member(cast, name))
    for answer in (browser.get(path), browser.post(path)):
        assert answer.status_code in (403, 405)


def test_the_menu_holds_only_what_one_may_open(cast: Cast, sign_in: SignIn) -> None:
    for name in ("clerk", "audit_admin", "system_admin"):
        browser = sign_in(member(cast, name))
        html = browser.get("/").content.decode()
        side = html[html.index("yh-side") : html.index("yh-main")]
        places = set(re.findall(r'href="(/[a-z]+/)"', side))
        assert places
        answers = {place: browser.get(place).status_code for place in places}
        # 404: a room whose register no pack has declared here says so; a refusal or a fault would be ours
        assert {place: status for place, status in answers.items() if status not in (200, 404)} == {}
    assert "/evidence/" in re.findall(r'href="(/[a-z]+/)"', sign_in(cast.audit_admin).get("/").content.decode())
    assert "/evidence/" not in re.findall(r'href="(/[a-z]+/)"', sign_in(cast.system_admin).get("/").content.decode())


def test_an_account_is_opened_and_its_password_shown_once(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.system_admin)
    page = browser.post("/organizations/users/new/", {"username": "new.person", "display_name": "新人"})
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    codes = re.findall(r"<code>([^<]+)</code>", page.content.decode())
    assert codes[0] == "new.person"
    person = organizations.authenticate(username="new.person", password=codes[1])
    assert person.must_change_password
    assert codes[1] not in browser.get("/organizations/users/new.person/").content.decode()
    again = browser.post("/organizations/users/new/", {"username": "new.person", "display_name": "新人"})
    assert again.status_code == 422 and "已经存在" in again.content.decode()


def test_an_organisation_is_registered_and_ended(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.system_admin)
    form = {"code": "BAD", "name": "示范市民政局", "short_name": "市民政局", "kind": "department", "region": "329900"}
    wrong = browser.post("/organizations/new/", form)
    assert wrong.status_code == 422 and "code" in wrong.content.decode()
    made = browser.post("/organizations/new/", {**form, "code": "113299000032990823"})
    assert made["Location"] == "/organizations/113299000032990823/"
    ended = browser.post(
        "/organizations/113299000032990823/end/", {"valid_until": "2199-01-01", "successor": "", "version": "1"}
    )
    assert ended.status_code == 302
    assert organizations.get_organization(code="113299000032990823").valid_until is not None
    stale = browser.post("/organizations/113299000032990823/end/", {"valid_until": "2199-01-02", "version": "1"})
    assert stale.status_code == 422 and "刚被别人改动" in stale.content.decode()


def test_a_membership_is_granted_and_ended(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.security_admin)
    path = "/organizations/users/clerk/memberships/new/"
    assert browser.post(path, {"organization": "市数据局", "role": "officer"}).status_code == 302
    clash = browser.post(path, {"organization": "市数据局", "role": "audit_admin"})
    assert clash.status_code == 422 and "三员须由不同的人担任" in clash.content.decode()
    mine = organizations.list_memberships(username="clerk")
    assert len(mine) == 2
    end = reverse("organizations:end_membership", args=["clerk", mine[-1].id])
    assert browser.get(end).status_code == 200
    assert browser.post(end).status_code == 302
    assert len(organizations.list_memberships(username="clerk")) == 1
    assert browser.post(end).status_code == 404


@pytest.fixture
def job(cast: Cast) -> str:
    name = jobs.list_job_types()[0].name
    return jobs.enqueue(name=name, arguments={}, actor=job_actor("tests"), key="test")


def test_a_job_is_seen_cancelled_and_tried_again(cast: Cast, sign_in: SignIn, job: str) -> None:
    browser = sign_in(cast.system_admin)
    assert job in browser.get("/jobs/").content.decode() or "test" in browser.get("/jobs/").content.decode()
    page = browser.get(f"/jobs/{job}/").content.decode()
    assert f'hx-get="/jobs/{job}/progress/"' in page
    assert browser.get(f"/jobs/{job}/progress/").status_code == 200
    assert browser.get(f"/jobs/{job}/cancel/").status_code == 405
    assert browser.post(f"/jobs/{job}/cancel/").status_code == 302
    assert jobs.get_job(job_id=job).state == "cancelled"
    ended = browser.get(f"/jobs/{job}/progress/")
    assert (ended.status_code, ended["HX-Refresh"]) == (204, "true")
    assert browser.post(f"/jobs/{job}/retry/").status_code == 302
    assert jobs.get_job(job_id=job).state == "ready"
    assert browser.post(f"/jobs/{job}/retry/").status_code == 409


def test_the_other_departments_clerk_cannot_see_a_job(cast: Cast, sign_in: SignIn, job: str) -> None:
    browser = sign_in(cast.officer)
    assert browser.get(f"/jobs/{job}/").status_code == 404
    assert browser.post(f"/jobs/{job}/cancel/").status_code == 404
    assert browser.get("/jobs/none/").status_code == 404


def test_evidence_is_seen_within_ones_right(cast: Cast, sign_in: SignIn) -> None:
    from yunhe.core.evidence import api as evidence

    audit = sign_in(cast.audit_admin)
    records = evidence.find(request=PageRequest(size=5), actor=cast.audit_admin.actor).items
    page = audit.get(f"/evidence/{records[0].id}/").content.decode()
    assert records[0].digest in page and "内容与摘要一致" in page
    assert audit.get("/evidence/?until=9999-12-31").status_code == 422
    assert audit.get("/evidence/none/").status_code == 404
    clerk = sign_in(cast.clerk)
    assert clerk.get("/evidence/").status_code == 200
    foreign = [r for r in records if cast.other.code not in (r.organization, r.owner_organization)]
    assert foreign and clerk.get(f"/evidence/{foreign[0].id}/").status_code == 404


def test_evidence_is_exported_as_listed(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.audit_admin).get("/evidence/?export=csv&kind=organizations.user_created")
    assert answer["Content-Type"].startswith("text/csv")
    assert len(answer.content.decode("utf-8-sig").splitlines()) == 1 + 9


def test_a_pack_is_known_by_name_only(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.system_admin)
    for name in ("none", "..", "%2Fetc", "national/../demo"):
        assert browser.get(f"/packs/{name}/").status_code == 404


def test_the_list_of_organisations_asks_a_fixed_number_of_queries(
    cast: Cast, sign_in: SignIn, founder: Actor, django_assert_max_num_queries: object
) -> None:
    browser = sign_in(cast.system_admin)
    browser.get("/organizations/")
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        browser.get("/organizations/")


def test_nobody_sees_anything(cast: Cast) -> None:
    for path in {path for paths in PAGES.values() for path in paths}:
        assert Client().get(path)["Location"].startswith("/login?next="), path


def test_dead_letters_are_offered_to_who_may_open_them(cast: Cast, sign_in: SignIn) -> None:
    for name, opens in (("system_admin", True), ("audit_admin", True), ("data_admin", True), ("steward", False)):
        browser = sign_in(member(cast, name), "zh-hans")
        assert ('href="/jobs/dead/"' in browser.get("/jobs/").content.decode()) is opens, name
        assert browser.get("/jobs/dead/").status_code == (200 if opens else 403), name
