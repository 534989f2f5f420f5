"""A door lets in whom its permission names, and nobody else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from yunhe.kernel.actor import Actor, Right
from yunhe.kernel.errors import Refused
from yunhe.ui.doors import acting, requires
from yunhe.ui.errors import NoMembership, NotSignedIn, PasswordMustChange

CLERK = Actor(kind="user", id="user:1", name="甲", rights=(Right("ledger.view"),))


def ask(actor: Actor | None, *, signed_in: bool = True, must_change: bool = False) -> HttpRequest:
    request = RequestFactory().get("/x/")
    request.user = (
        SimpleNamespace(is_authenticated=True, must_change_password=must_change) if signed_in else AnonymousUser()
    )
    request.actor = actor  # type: ignore[attr-defined]
    return request


@requires("ledger.edit", "ledger.view")
def ledger(request: HttpRequest) -> str:
    return "in"


@requires("ledger.edit")
def editing(request: HttpRequest) -> str:
    return "in"


@requires("signed_in", with_first_password=True)
def first(request: HttpRequest) -> str:
    return "in"


@requires("public")
def street(request: HttpRequest) -> str:
    return "in"


def test_the_view_says_its_permission() -> None:
    assert ledger.permission == "ledger.edit"
    assert ledger.permissions == ("ledger.edit", "ledger.view")
    assert street.permission == "public"
    with pytest.raises(ValueError, match="permission"):
        requires()


def test_one_of_several_permissions_is_enough() -> None:
    assert ledger(ask(CLERK)) == "in"
    with pytest.raises(Refused):
        editing(ask(CLERK))


def test_nobody_and_those_without_membership_are_sent_elsewhere() -> None:
    with pytest.raises(NotSignedIn):
        ledger(ask(None, signed_in=False))
    with pytest.raises(NotSignedIn):
        first(ask(None, signed_in=False))
    with pytest.raises(NoMembership):
        ledger(ask(None))
    with pytest.raises(NoMembership):
        acting(ask(None))
    assert acting(ask(CLERK)) is CLERK
    assert street(ask(None, signed_in=False)) == "in"


def test_a_first_password_is_changed_before_anything_else() -> None:
    with pytest.raises(PasswordMustChange):
        ledger(ask(CLERK, must_change=True))
    assert first(ask(CLERK, must_change=True)) == "in"
