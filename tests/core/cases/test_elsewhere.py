"""The address of a case, followed in the wrong one of one's memberships: the page offers the right one, and tells nothing of the case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from tests.core.cases.test_one_membership import BIRD, also, chosen, permit
from tests.faults.test_lists_are_filtered import browser
from yunhe.core.cases.types import Case
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership
from yunhe.core.organizations.types import RightSpec
from yunhe.kernel.actor import Actor
from yunhe.ui.po import compile_texts

__all__ = ["permit"]
compile_texts()
pytestmark = pytest.mark.django_db
OFFER = "您以另一任职可以查看"


def page_of(client: Client, address: str, status: int = 404) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return str(answer.content.decode())


def place_of(member: Member, actor: Actor) -> int:
    return int(Membership.objects.get(user_id=member.user_id, organization=actor.organization).pk)


def test_the_page_offers_the_membership_that_may_see_the_case_and_goes_there(
    cast: Cast, permit: Callable[..., Case]
) -> None:
    there = also(cast.clerk, cast.bureau.code, "officer")
    case = permit(cast.clerk.actor)
    client = chosen(cast.clerk, there)
    for address in (f"/inbox/cases/{case.case_id}/", f"/inbox/cases/{case.case_id}/?ob=x&act=accept"):
        page = page_of(client, address)
        main = page.partition("<main")[2]
        right = place_of(cast.clerk, cast.clerk.actor)
        assert OFFER in main and f'name="membership" value="{right}"' in main and main.count('name="membership"') == 1
        assert BIRD not in page and case.number not in page and case.kind_title["zh"] not in main
        gone = client.post("/membership", {"membership": str(right), "next": address})
        assert gone.status_code == 302 and gone["Location"] == address
        assert BIRD in page_of(client, f"/inbox/cases/{case.case_id}/", 200)
        client.post("/membership", {"membership": str(place_of(cast.clerk, there))})


def test_where_the_present_role_has_no_rights_in_cases_the_page_offers_the_right_membership_too(
    cast: Cast, permit: Callable[..., Case], founder: Actor
) -> None:
    rights = (RightSpec("catalog.view", ("*",)),)
    organizations.define_role(code="librarian", title={"zh": "目录员", "en": "Librarian"}, rights=rights, actor=founder, pack="tests")
    there = also(cast.clerk, cast.bureau.code, "librarian")
    assert not there.may("cases.view") and not there.may("cases.act")
    case, right = permit(cast.clerk.actor), place_of(cast.clerk, cast.clerk.actor)
    client = chosen(cast.clerk, there)
    for address in (f"/inbox/cases/{case.case_id}/", f"/inbox/cases/{case.case_id}/print/", f"/inbox/cases/{case.case_id}/?ob=x&act=accept"):
        page = page_of(client, address)
        assert OFFER in page and f'name="membership" value="{right}"' in page and BIRD not in page and case.number not in page
    assert client.get(f"/inbox/cases/{case.case_id}/", headers={"Accept": "application/json"}).status_code == 403
    assert OFFER not in page_of(client, "/inbox/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV/", 403)  # what is not there is refused as before
    only = also(cast.bureau_clerk, cast.other.code, "librarian")  # whose other membership may not see it
    page_of(chosen(cast.bureau_clerk, only), f"/inbox/cases/{case.case_id}/", 403)


def test_nobody_else_gets_more_than_not_found(cast: Cast, permit: Callable[..., Case]) -> None:
    also(cast.bureau_clerk, cast.bureau.code, "data_steward")  # a second membership that may not see it either
    there = also(cast.clerk, cast.bureau.code, "officer")
    case = permit(cast.clerk.actor)
    stranger = browser(cast.bureau_clerk)
    stranger.post("/membership", {"membership": str(cast.bureau_clerk.membership_id)})
    for client, case_id in ((stranger, case.case_id), (chosen(cast.clerk, there), "01ARZ3NDEKTSV4RRFFQ69G5FAV")):
        page = page_of(client, f"/inbox/cases/{case_id}/")
        assert OFFER not in page and "cases/elsewhere" not in page and 'name="membership"' not in page.partition("<main")[2]
    wrong = chosen(cast.clerk, there)
    for headers in ({"Accept": "application/json"}, {"HX-Request": "true"}):
        answer = wrong.get(f"/inbox/cases/{case.case_id}/", headers=headers)
        assert answer.status_code == 404 and OFFER not in answer.content.decode()
    assert OFFER not in wrong.post(f"/inbox/cases/{case.case_id}/do/x/accept/", {"step": "leave"}).content.decode()
