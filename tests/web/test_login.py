"""Signing in and out, choosing for whom one acts, one's own account."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from tests.web.conftest import SignIn
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
NEW = "Grand-Canal-1293"


def settle(browser: Client, member: Member) -> None:
    """Change the first password, as everybody must."""
    answer = browser.post("/account/password", {"old": member.password, "new": NEW, "again": NEW})
    assert answer.status_code == 302, answer.content.decode()


def test_a_first_password_is_changed_before_any_page_opens(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.clerk)
    assert browser.get("/")["Location"].startswith("/account/password")
    page = browser.get("/account/password").content.decode()
    assert "初始密码" in page
    settle(browser, cast.clerk)
    assert browser.get("/").status_code == 200
    again = Client()
    assert again.post("/login", {"username": cast.clerk.username, "password": cast.clerk.password}).status_code == 422
    assert again.post("/login", {"username": cast.clerk.username, "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, "用户名或密码不对"),
        ({"new": NEW, "again": "other"}, "不一样"),
        ({"new": "short", "again": "short"}, "密码不合要求"),
    ],
)
def test_a_bad_change_of_password_is_said_in_the_form(
    cast: Cast, sign_in: SignIn, form: dict[str, str], words: str
) -> None:
    page = sign_in(cast.clerk).post("/account/password", {"old": cast.clerk.password, **form})
    assert page.status_code == 422
    assert words in page.content.decode()
    assert NEW not in page.content.decode()


def test_wrong_credentials_sound_alike_and_show_no_password(cast: Cast) -> None:
    pages = [
        Client().post("/login", {"username": name, "password": "guess-guess-1"}).content.decode()
        for name in (cast.clerk.username, "nobody")
    ]
    assert all("用户名或密码不对" in page and "guess-guess-1" not in page for page in pages)


def test_next_leads_inside_only(cast: Cast) -> None:
    form = {"username": cast.clerk.username, "password": cast.clerk.password}
    for wanted, place in (
        ("/jobs/?q=1", "/jobs/?q=1"),
        ("https://example.org/", "/"),
        ("//example.org", "/"),
        ("", "/"),
    ):
        assert Client().post("/login", {**form, "next": wanted})["Location"] == place


def test_signing_out_closes_the_session(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.clerk)
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout")["Location"] == "/login"
    assert browser.get("/account")["Location"].startswith("/login")


def test_one_of_several_memberships_is_chosen_and_changed(cast: Cast, sign_in: SignIn, founder: Actor) -> None:
    organizations.add_membership(
        username=cast.clerk.username, organization=cast.owner.code, role="officer", actor=founder
    )
    browser = sign_in(cast.clerk)
    settle(browser, cast.clerk)
    assert browser.get("/")["Location"].startswith("/membership")
    mine = organizations.list_memberships(username=cast.clerk.username)
    assert len(mine) == 2
    for membership in mine:
        browser.post("/membership", {"membership": membership.id})
        assert membership.organization_name in browser.get("/").content.decode()


@pytest.mark.parametrize("wanted", ["", "x", "-1", "9" * 40, "１"])
def test_a_membership_that_is_none_is_refused(cast: Cast, sign_in: SignIn, wanted: str) -> None:
    assert sign_in(cast.clerk).post("/membership", {"membership": wanted}).status_code == 422


def test_a_membership_of_somebody_else_cannot_be_chosen(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.clerk).post("/membership", {"membership": cast.data_admin.membership_id})
    assert answer.status_code == 404


def test_the_language_is_kept(cast: Cast) -> None:
    browser = Client()
    answer = browser.post("/language", {"language": "en", "next": "/login"})
    assert answer["Location"] == "/login"
    assert "Sign in to the console" in browser.get("/login").content.decode()
    browser.post("/login", {"username": cast.clerk.username, "password": cast.clerk.password})
    assert 'lang="en"' in browser.get("/account/password").content.decode()
    browser.post("/language", {"language": "tlh"})
    assert 'lang="en"' in browser.get("/account/password").content.decode()
