"""Who acts, with which rights; sign-in; the middleware."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.conftest import Cast
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api, models
from yunhe.core.organizations.errors import (
    AmbiguousMembership,
    FirstPassword,
    MembershipNotFound,
    OperatorRefused,
    SignInBlocked,
    UserNotFound,
    WrongCredentials,
)
from yunhe.core.organizations.middleware import ActorMiddleware
from yunhe.core.organizations.rules import caller_address
from yunhe.core.organizations.types import Region, RightSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import frozen, local, now

pytestmark = pytest.mark.django_db


def request_of(user: models.User | AnonymousUser, rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.session = SessionStore()
    request.user = user
    ActorMiddleware(lambda _: HttpResponse())(request)
    return request


def test_own_means_the_memberships_organization(cast: Cast) -> None:
    steward = cast.steward.actor
    assert steward.may("lake.load", organization=cast.owner.code)
    assert not steward.may("lake.load", organization=cast.other.code)
    assert steward.may("ledger.view", organization=cast.other.code)


def test_rights_of_two_memberships_are_never_merged(cast: Cast, founder: Actor) -> None:
    second = api.add_membership(username="officer", organization=cast.other.code, role="data_leader", actor=founder)
    first = api.actor_for(user_id=cast.officer.user_id, membership_id=cast.officer.membership_id)
    other = api.actor_for(user_id=cast.officer.user_id, membership_id=second.id)
    assert not first.may("exchange.decide")
    assert other.may("exchange.decide", organization=cast.other.code)
    assert not other.may("exchange.request")


def test_an_extra_right_belongs_to_one_membership_only(cast: Cast) -> None:
    models.RightTuple.objects.create(
        membership_id=cast.officer.membership_id, permission="quality.view",
        organizations=["own"], regions=["*"], kinds=["*"],
    )  # fmt: skip
    with_extra = api.actor_for(user_id=cast.officer.user_id, membership_id=cast.officer.membership_id)
    assert with_extra.may("quality.view", organization=cast.owner.code)
    assert not cast.bureau_clerk.actor.may("quality.view")


def test_own_region_reaches_down_the_divisions(cast: Cast, founder: Actor) -> None:
    for code, parent in (("329901", "329900"), ("329901001", "329901"), ("329800", "")):
        api.create_region(region=Region(code, code, "county", parent=parent), actor=founder)
    api.define_role(
        code="regional", title={"zh": "片区", "en": "Regional"}, actor=founder,
        rights=(RightSpec("cases.view", ("*",), ("own",)),),
    )  # fmt: skip
    made = api.add_membership(username="officer", organization=cast.bureau.code, role="regional", actor=founder)
    actor = api.actor_for(user_id=cast.officer.user_id, membership_id=made.id)
    assert all(actor.may("cases.view", region=code) for code in ("329900", "329901", "329901001"))
    assert not actor.may("cases.view", region="329800")


def test_another_persons_membership_cannot_be_chosen(cast: Cast) -> None:
    with pytest.raises(MembershipNotFound):
        api.actor_for(user_id=cast.clerk.user_id, membership_id=cast.leader.membership_id)


def test_an_ended_membership_gives_no_rights_from_that_moment(cast: Cast, founder: Actor) -> None:
    api.end_membership(membership_id=cast.leader.membership_id, actor=founder)
    with pytest.raises(MembershipNotFound):
        api.actor_for(user_id=cast.leader.user_id, membership_id=cast.leader.membership_id)


def test_a_membership_ends_with_the_day_before_valid_until(cast: Cast, founder: Actor) -> None:
    today = local(now()).date()
    made = api.add_membership(
        username="officer", organization=cast.other.code, role="officer", actor=founder,
        valid_until=today + timedelta(days=3),
    )  # fmt: skip
    with frozen(now() + timedelta(days=2)):
        assert api.actor_for(user_id=made.user_id, membership_id=made.id)
    with frozen(now() + timedelta(days=3)), pytest.raises(MembershipNotFound):
        api.actor_for(user_id=made.user_id, membership_id=made.id)


def test_members_of_an_ended_organization_lose_their_rights_with_its_last_day(
    cast: Cast, founder: Actor, rf: RequestFactory
) -> None:
    at = now()
    ends = local(at).date() + timedelta(days=3)
    api.end_organization(code=cast.other.code, valid_until=ends, expected_version=cast.other.version, actor=founder)
    clerk = cast.clerk
    with frozen(at + timedelta(days=2)):
        assert api.actor_for(user_id=clerk.user_id, membership_id=clerk.membership_id) == clerk.actor
        assert [m.id for m in api.list_memberships(username="clerk")] == [clerk.membership_id]
    with frozen(at + timedelta(days=3)):
        with pytest.raises(MembershipNotFound):
            api.actor_for(user_id=clerk.user_id, membership_id=clerk.membership_id)
        with pytest.raises(MembershipNotFound):
            api.find_actor(username="clerk")
        assert api.list_memberships(username="clerk") == ()
        assert request_of(models.User.objects.get(username="clerk"), rf).actor is None
        steward = cast.steward
        assert api.actor_for(user_id=steward.user_id, membership_id=steward.membership_id) == steward.actor


@pytest.mark.parametrize("named", [None, "市人社局", "11329900003299060T", "市人社局/data_steward"])
def test_find_actor_by_user_and_organization(cast: Cast, named: str | None) -> None:
    assert api.find_actor(username="clerk", organization=named) == cast.clerk.actor


def test_find_actor_says_when_two_memberships_fit(cast: Cast, founder: Actor) -> None:
    api.add_membership(username="clerk", organization=cast.other.code, role="officer", actor=founder)
    with pytest.raises(AmbiguousMembership, match="市人社局/officer"):
        api.find_actor(username="clerk")
    assert api.find_actor(username="clerk", organization="市人社局/officer").role == "officer"
    with pytest.raises(UserNotFound):
        api.find_actor(username="nobody")
    with pytest.raises(MembershipNotFound):
        api.find_actor(username="clerk", organization=cast.owner.code)


def test_a_proven_actor_is_the_one_found_and_leaves_a_line(cast: Cast, founder: Actor) -> None:
    with pytest.raises(FirstPassword):
        api.prove_actor(username="clerk", password=cast.clerk.password)
    api.set_password(username="clerk", password="Tian-qi-4711-hao", actor=founder)
    with pytest.raises(WrongCredentials):
        api.prove_actor(username="clerk", password=cast.clerk.password)
    assert not EvidenceRow.objects.filter(kind="organizations.signed_in").exists()
    assert api.prove_actor(username="clerk", password="Tian-qi-4711-hao", organization="市人社局") == cast.clerk.actor
    row = EvidenceRow.objects.get(kind="organizations.signed_in")
    assert (row.actor_id, row.organization, row.actor_role) == (cast.clerk.actor.id, cast.other.code, "data_steward")


def test_a_membership_is_spoken_of_only_to_whom_the_password_proves(cast: Cast, founder: Actor) -> None:
    api.set_password(username="clerk", password="Tian-qi-4711-hao", actor=founder)
    for wrong in ({"username": "clerk", "password": "x"}, {"username": "nobody", "password": "x"}):
        with pytest.raises(WrongCredentials):
            api.prove_actor(**wrong, organization=cast.owner.code)
    with pytest.raises(MembershipNotFound):
        api.prove_actor(username="clerk", password="Tian-qi-4711-hao", organization=cast.owner.code)


def test_a_request_says_how_its_actor_came(cast: Cast, rf: RequestFactory) -> None:
    for path, via in (("/cases/", "web"), ("/api/v1/cases", "api")):
        request, came = rf.get(path), []
        request.session, request.user = SessionStore(), models.User.objects.get(username="clerk")
        ActorMiddleware(lambda asked, came=came: came.append(asked.actor.door.via) or HttpResponse())(request)
        assert came == [via]
    assert api.find_actor(username="clerk").door.via == ""


def test_operator_only_in_the_embedded_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.YUNHE, "PROFILE", "embedded")
    assert api.operator_actor().may("anything.at_all", organization="x")
    monkeypatch.setitem(settings.YUNHE, "PROFILE", "server")
    with pytest.raises(OperatorRefused):
        api.operator_actor()


def test_sign_in_chooses_the_only_membership(cast: Cast, rf: RequestFactory) -> None:
    request = request_of(AnonymousUser(), rf)
    person = api.sign_in(request=request, username="clerk", password=cast.clerk.password)
    assert person.must_change_password
    assert request.session["membership"] == cast.clerk.membership_id
    assert EvidenceRow.objects.filter(kind="organizations.signed_in", actor_id=cast.clerk.actor.id).exists()


def test_middleware_gives_none_to_nobody_and_the_actor_to_a_member(cast: Cast, rf: RequestFactory) -> None:
    assert request_of(AnonymousUser(), rf).actor is None
    request = request_of(models.User.objects.get(username="clerk"), rf)
    assert request.actor == cast.clerk.actor
    assert isinstance(request, HttpRequest)


def test_middleware_resolves_once_and_only_when_asked(
    cast: Cast, rf: RequestFactory, django_assert_num_queries: object
) -> None:
    user = models.User.objects.get(username="clerk")
    with django_assert_num_queries(0):
        request = request_of(user, rf)
    assert request.actor is request.actor


def test_two_memberships_must_be_chosen_from(cast: Cast, founder: Actor, rf: RequestFactory) -> None:
    second = api.add_membership(username="clerk", organization=cast.bureau.code, role="officer", actor=founder)
    user = models.User.objects.get(username="clerk")
    request = request_of(user, rf)
    assert request.actor is None
    chosen = api.choose_membership(request=request, membership_id=second.id)
    assert chosen.organization == cast.bureau.code
    again = rf.get("/")
    again.session, again.user = request.session, user
    ActorMiddleware(lambda _: HttpResponse())(again)
    assert again.actor == chosen
    with pytest.raises(MembershipNotFound):
        api.choose_membership(request=request, membership_id=cast.leader.membership_id)


def test_a_session_with_a_stale_membership_is_nobody(cast: Cast, founder: Actor, rf: RequestFactory) -> None:
    api.end_membership(membership_id=cast.clerk.membership_id, actor=founder)
    request = rf.get("/")
    request.session, request.user = SessionStore(), models.User.objects.get(username="clerk")
    request.session["membership"] = cast.clerk.membership_id
    ActorMiddleware(lambda _: HttpResponse())(request)
    assert request.actor is None
    assert "membership" not in request.session


def test_wrong_name_password_and_closed_account_sound_alike(cast: Cast, founder: Actor) -> None:
    api.close_user(username="officer", actor=founder)
    said = set()
    for username, password in (("nobody", "x"), ("clerk", "wrong"), ("officer", cast.officer.password)):
        with pytest.raises(WrongCredentials) as caught:
            api.authenticate(username=username, password=password)
        said.add(str(caught.value))
    assert len(said) == 1


def test_sign_in_is_throttled_also_for_the_right_password(cast: Cast) -> None:
    at = now()
    with frozen(at) as clock:
        for _ in range(5):
            with pytest.raises(WrongCredentials):
                api.authenticate(username="clerk", password="wrong")
        with pytest.raises(SignInBlocked):
            api.authenticate(username="clerk", password=cast.clerk.password)
        clock.advance(timedelta(seconds=29))
        with pytest.raises(SignInBlocked, match="1 seconds"):
            api.authenticate(username="clerk", password=cast.clerk.password)
        clock.advance(timedelta(seconds=1))
        assert api.authenticate(username="clerk", password=cast.clerk.password).username == "clerk"
        assert not models.LoginGuard.objects.exists()


def test_unknown_names_are_throttled_and_never_stored(cast: Cast) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            api.authenticate(username="my-secret-typed-here", password="wrong")
    with pytest.raises(SignInBlocked):
        api.authenticate(username="my-secret-typed-here", password="wrong")
    assert "my-secret" not in str(list(models.LoginGuard.objects.values()))
    assert "my-secret" not in str(list(EvidenceRow.objects.values()))


def test_one_address_trying_many_names_is_blocked() -> None:
    for number in range(50):
        with pytest.raises(WrongCredentials):
            api.authenticate(username=f"name{number}", password="wrong", address="10.0.0.1")
    with pytest.raises(SignInBlocked):
        api.authenticate(username="another", password="wrong", address="10.0.0.1")
    with pytest.raises(WrongCredentials):
        api.authenticate(username="another", password="wrong", address="10.0.0.2")


def _fail(rf: RequestFactory, number: int, **meta: str) -> str:
    request = rf.post("/login", **meta)
    request.session, request.user = SessionStore(), AnonymousUser()
    with pytest.raises((WrongCredentials, SignInBlocked)) as caught:
        api.sign_in(request=request, username=f"name{number}", password="wrong")
    return str(caught.value.code)


def test_one_person_behind_the_proxy_does_not_lock_everybody_out(
    cast: Cast, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.YUNHE, "TRUSTED_PROXIES", "10.1.1.1, 127.0.0.1")
    for proxy in ("10.1.1.1", "127.0.0.1"):
        bad = {"REMOTE_ADDR": proxy, "HTTP_X_FORWARDED_FOR": f"1.2.3.4, 198.51.100.{len(proxy)}"}
        codes = [_fail(rf, number, **bad) for number in range(52)]
        assert (codes[0], codes[-1]) == ("wrong_credentials", "sign_in_blocked")
        request = rf.post("/login", REMOTE_ADDR=proxy, HTTP_X_FORWARDED_FOR="203.0.113.5")
        request.session, request.user = SessionStore(), AnonymousUser()
        assert api.sign_in(request=request, username="clerk", password=cast.clerk.password).username == "clerk"


def test_an_unnamed_proxy_of_this_machine_is_not_blocked_and_its_header_not_believed(
    cast: Cast, rf: RequestFactory
) -> None:
    codes = {_fail(rf, number, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7") for number in range(52)}
    assert codes == {"wrong_credentials"}
    assert api.authenticate(username="clerk", password=cast.clerk.password, address="127.0.0.1").username == "clerk"


def test_a_stranger_does_not_choose_the_address_that_is_counted(cast: Cast, rf: RequestFactory) -> None:
    codes = [
        _fail(rf, number, REMOTE_ADDR="198.51.100.9", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}") for number in range(52)
    ]
    assert codes[-1] == "sign_in_blocked"


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("10.0.0.9", "", "10.0.0.9"), ("10.0.0.9", "1.1.1.1", "10.0.0.9"), ("10.1.1.1", "1.1.1.1", "1.1.1.1"),
        ("10.1.1.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"), ("10.1.1.1", "6.6.6.6, 1.1.1.1, 10.1.1.2", "1.1.1.1"),
        ("10.1.1.1", "", ""), ("10.1.1.1", "10.1.1.2, 10.1.1.1", ""), ("10.1.1.1", "6.6.6.6, unknown", ""),
        ("::ffff:10.1.1.1", "1.1.1.1:8080", "1.1.1.1"), ("10.1.1.1", "[2001:DB8::1]:443", "2001:db8::1"),
        ("10.1.1.1", "x" * 5000 + ",1.1.1.1", "1.1.1.1"), ("10.1.1.1", "127.0.0.1", ""), ("127.0.0.1", "1.1.1.1", ""),
        ("::1", "", ""), ("", "1.1.1.1", ""), ("unix:", "1.1.1.1", ""),
    ],
)  # fmt: skip
def test_which_address_is_counted(peer: str, forwarded: str, counted: str) -> None:
    assert caller_address(peer=peer, forwarded=forwarded, trusted=("10.1.1.1", " 10.1.1.2", "")) == counted


@pytest.mark.parametrize("username", ["\ud800", "a\x00b", "名" * 5000, ""])
def test_strange_names_are_only_wrong(username: str) -> None:
    with pytest.raises(WrongCredentials):
        api.authenticate(username=username, password="\ud800")
