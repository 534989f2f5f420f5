"""Organisations, divisions, accounts, roles and the separation of the three administrators."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api
from yunhe.core.organizations.errors import (
    AlreadyExists,
    AmbiguousOrganization,
    BadOrganization,
    BadPassword,
    BadRegion,
    BadRole,
    BadUser,
    OrganizationNotFound,
    RegionNotFound,
    SelfGrant,
    SeparatedAccount,
    SeparationBroken,
    WrongCredentials,
)
from yunhe.core.organizations.rules import FREE_FAILURES, may_stand_together, overlaps, resolve_right, wait_after
from yunhe.core.organizations.types import Region, RightSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Conflict, Refused
from yunhe.kernel.pages import PageRequest

ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")


@pytest.mark.django_db
@pytest.mark.parametrize(("held", "wanted"), list(permutations(ADMINISTRATORS, 2)))
def test_one_person_is_never_two_administrators(cast: Cast, founder: Actor, held: str, wanted: str) -> None:
    with pytest.raises(SeparationBroken):
        api.add_membership(username=held, organization=cast.other.code, role=wanted, actor=founder)


@pytest.mark.django_db
@pytest.mark.parametrize(("username", "role"), [("system_admin", "officer"), ("clerk", "audit_admin")])
def test_an_administrator_holds_no_business_role(cast: Cast, founder: Actor, username: str, role: str) -> None:
    with pytest.raises(SeparationBroken):
        api.add_membership(username=username, organization=cast.bureau.code, role=role, actor=founder)


@pytest.mark.django_db
def test_an_administrator_may_change_after_the_old_role_ended(cast: Cast, founder: Actor) -> None:
    api.end_membership(membership_id=cast.system_admin.membership_id, actor=founder)
    made = api.add_membership(
        username="system_admin", organization=cast.bureau.code, role="audit_admin", actor=founder
    )
    assert made.role == "audit_admin"


@pytest.mark.django_db
def test_a_role_cannot_become_separated_under_a_holder_of_another(cast: Cast, founder: Actor) -> None:
    api.add_membership(username="clerk", organization=cast.other.code, role="officer", actor=founder)
    with pytest.raises(SeparationBroken):
        api.define_role(
            code="officer", title={"zh": "审计", "en": "Audit"}, rights=(), separation="audit", actor=founder
        )
    assert api.get_role(code="officer").separation == ""


@pytest.mark.django_db
def test_the_system_administrator_opens_accounts_but_grants_nothing(cast: Cast) -> None:
    made = api.create_user(username="newcomer", display_name="新人", actor=cast.system_admin.actor)
    assert len(made.password) == 16
    assert made.password not in repr(made)
    with pytest.raises(Refused):
        api.add_membership(
            username="newcomer", organization=cast.owner.code, role="officer", actor=cast.system_admin.actor
        )
    given_by = api.add_membership(
        username="newcomer", organization=cast.owner.code, role="officer", actor=cast.security_admin.actor
    )
    assert given_by.organization_name == "市市场监管局"


@pytest.mark.django_db
def test_nobody_grants_to_themselves(cast: Cast) -> None:
    with pytest.raises(SelfGrant):
        api.add_membership(
            username="security_admin", organization=cast.bureau.code, role="security_admin",
            actor=cast.security_admin.actor,
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["clerk", "data_admin", "audit_admin", "security_admin"])
def test_accounts_are_opened_by_the_system_administrator_only(cast: Cast, who: str) -> None:
    with pytest.raises(Refused):
        api.create_user(username="newcomer", display_name="新人", actor=getattr(cast, who).actor)


MAY_GOVERN = {
    ("system_admin", "clerk"), ("system_admin", "system_admin"), ("security_admin", "system_admin"),
    ("security_admin", "audit_admin"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["clerk", *ADMINISTRATORS])
@pytest.mark.parametrize("whom", ["clerk", *ADMINISTRATORS])
def test_nobody_takes_the_place_of_a_separated_administrator(cast: Cast, who: str, whom: str) -> None:
    actor = getattr(cast, who).actor
    assert api.may_govern(username=whom, actor=actor) == ((who, whom) in MAY_GOVERN)
    if (who, whom) in MAY_GOVERN:
        new = api.set_password(username=whom, actor=actor).password
        assert api.authenticate(username=whom, password=new).username == whom
        assert not api.close_user(username=whom, actor=actor).is_active
        return
    for act in (api.set_password, api.close_user):
        with pytest.raises((Refused, SeparatedAccount)):
            act(username=whom, actor=actor)
    assert api.authenticate(username=whom, password=getattr(cast, whom).password).is_active


@pytest.mark.django_db
def test_the_refusal_names_the_role_and_the_next_step(cast: Cast) -> None:
    with pytest.raises(SeparatedAccount) as caught:
        api.set_password(username="security_admin", actor=cast.system_admin.actor)
    assert "security_admin" in caught.value.say("zh") and "yunhe user recover" in caught.value.say("zh")
    assert "yunhe user recover security_admin" in caught.value.say("en")


@pytest.mark.django_db
def test_a_role_that_begins_later_protects_its_account_already(cast: Cast, founder: Actor) -> None:
    api.create_user(username="newcomer", display_name="新人", actor=founder)
    api.add_membership(
        username="newcomer", organization=cast.bureau.code, role="security_admin", actor=founder,
        valid_from=local(now()).date() + timedelta(days=3),
    )  # fmt: skip
    with pytest.raises(SeparatedAccount):
        api.set_password(username="newcomer", actor=cast.system_admin.actor)


@pytest.mark.django_db
def test_the_node_itself_recovers_the_security_administrator(cast: Cast, founder: Actor) -> None:
    new = api.set_password(username="security_admin", actor=founder)
    assert new.person.must_change_password
    assert api.authenticate(username="security_admin", password=new.password).username == "security_admin"


@pytest.mark.django_db
def test_no_password_stands_in_the_evidence(cast: Cast) -> None:
    text = str(list(EvidenceRow.objects.values_list("facts_text", flat=True)))
    assert cast.clerk.password not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["short1", "1234567890123", "data_admin1", "password123", "", "long-enough-\x00-but", "long-enough-\ud800"]
)
def test_weak_passwords_are_refused(cast: Cast, password: str) -> None:
    with pytest.raises(BadPassword) as caught:
        api.set_password(username="data_admin", password=password, actor=cast.system_admin.actor)
    assert not password or password not in str(caught.value)


@pytest.mark.django_db
def test_changing_ones_own_password(cast: Cast) -> None:
    clerk = cast.clerk
    with pytest.raises(WrongCredentials):
        api.change_password(user_id=clerk.user_id, old="wrong", new="Tian-qi-4711-hao", actor=clerk.actor)
    with pytest.raises(BadUser):
        api.change_password(user_id=clerk.user_id, old=clerk.password, new="Tian-qi-4711-hao", actor=cast.leader.actor)
    person = api.change_password(
        user_id=clerk.user_id, old=clerk.password, new="Tian-qi-4711-hao", actor=clerk.actor
    )
    assert not person.must_change_password
    assert api.authenticate(username="clerk", password="Tian-qi-4711-hao") == api.get_person(username="clerk")


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["A", "a", "a b", "Clerk", "clerk\n", "名字", "a" * 65, "\ud800a"])
def test_bad_user_names(founder: Actor, username: str) -> None:
    with pytest.raises(BadUser):
        api.create_user(username=username, display_name="某", actor=founder)


@pytest.mark.django_db
def test_a_name_is_given_once(cast: Cast, founder: Actor) -> None:
    with pytest.raises(AlreadyExists):
        api.create_user(username="clerk", display_name="某", actor=founder)
    with pytest.raises(AlreadyExists):
        api.add_membership(username="clerk", organization=cast.other.code, role="data_steward", actor=founder)


@pytest.mark.django_db
def test_an_organization_is_found_by_code_name_and_short_name(cast: Cast) -> None:
    for name in (cast.owner.code, cast.owner.name, cast.owner.short_name):
        assert api.get_organization(code=name) == cast.owner
    assert api.find_organization(code="没有") is None
    assert api.find_organization(code="") is None
    with pytest.raises(OrganizationNotFound):
        api.get_organization(code="没有")


@pytest.mark.django_db
def test_a_short_name_of_two_organizations_is_ambiguous_until_one_ended(cast: Cast, founder: Actor) -> None:
    double = api.create_organization(
        code="1132990000329901XF", name="另一局", short_name="市人社局", region="329900", actor=founder,
        valid_from=date(2020, 1, 1),
    )  # fmt: skip
    with pytest.raises(AmbiguousOrganization):
        api.get_organization(code="市人社局")
    ended = api.end_organization(
        code=double.code, valid_until=date(2021, 1, 1), expected_version=1, successor=cast.other.code, actor=founder
    )
    assert (ended.successor, ended.version) == (cast.other.code, 2)
    assert api.get_organization(code="市人社局") == cast.other
    with pytest.raises(Conflict):
        api.end_organization(code=double.code, valid_until=date(2022, 1, 1), expected_version=1, actor=founder)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [{"code": "11329900003299028X"}, {"code": ""}, {"name": " "}, {"kind": "club"}, {"region": "3299"}, {"region": "329901"}],
)
def test_bad_organizations(cast: Cast, founder: Actor, wrong: dict[str, str]) -> None:
    right = {"code": "1132990000329901XF", "name": "某局", "kind": "department", "region": "329900"}
    with pytest.raises(BadOrganization):
        api.create_organization(**(right | wrong), actor=founder)
    assert api.create_organization(**right, actor=founder).code == right["code"]


@pytest.mark.django_db
def test_list_organizations_pages_and_searches(cast: Cast) -> None:
    page = api.list_organizations(request=PageRequest(search="市场"), actor=cast.clerk.actor)
    assert [body.code for body in page.items] == [cast.owner.code]
    whole = api.list_organizations(request=PageRequest(size=2), actor=cast.clerk.actor)
    assert (whole.total, whole.pages, len(whole.items)) == (3, 2, 2)
    assert whole.facets[0].count == 3


@pytest.mark.django_db
def test_a_district_replaces_a_county_city(founder: Actor) -> None:
    end = date(2015, 7, 23)
    api.create_region(region=Region("329982", "某市", "county", valid_until=end, successor="329904"), actor=founder)
    api.create_region(region=Region("329904", "某区", "county", valid_from=end), actor=founder)
    assert api.get_region(code="329982", on=date(2015, 7, 22)).successor == "329904"
    assert api.get_region(code="329904", on=end).name == "某区"
    for code, day in (("329982", end), ("329904", date(2015, 7, 22))):
        with pytest.raises(RegionNotFound):
            api.get_region(code=code, on=day)


@pytest.mark.django_db
def test_periods_of_one_code_do_not_overlap(founder: Actor) -> None:
    api.create_region(region=Region("329902", "旧名", "county", valid_until=date(2004, 1, 20)), actor=founder)
    with pytest.raises(AlreadyExists):
        api.create_region(region=Region("329902", "新名", "county", valid_from=date(2004, 1, 19)), actor=founder)
    api.create_region(region=Region("329902", "新名", "county", valid_from=date(2004, 1, 20)), actor=founder)
    assert [region.name for region in api.list_region_history(code="329902")] == ["旧名", "新名"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "region",
    [
        Region("3299", "短", "city"),
        Region("32990A", "字", "city"),
        Region("329900", "", "city"),
        Region("329900", "层", "planet"),  # type: ignore[arg-type]
        Region("329900", "反", "city", valid_from=date(2020, 1, 1), valid_until=date(2019, 1, 1)),
        Region("329900", "继", "city", successor="329901"),
        Region("329900", "己", "city", parent="329900"),
        Region("329900", "父", "city", parent="320000"),
    ],
)
def test_bad_regions(founder: Actor, region: Region) -> None:
    with pytest.raises(BadRegion):
        api.create_region(region=region, actor=founder)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "rights"),
    [("Bad", ()), ("good", (RightSpec("nodot"),)), ("good", (RightSpec("a.b", organizations=()),))],
)
def test_bad_roles(founder: Actor, code: str, rights: tuple[RightSpec, ...]) -> None:
    with pytest.raises(BadRole):
        api.define_role(code=code, title={"zh": "某", "en": "X"}, rights=rights, actor=founder)


SEPARATIONS = st.sampled_from(["", "system", "security", "audit"])


@given(held=st.lists(SEPARATIONS, max_size=4), wanted=SEPARATIONS)
def test_separation_against_an_oracle(held: list[str], wanted: str) -> None:
    kinds = {*held, wanted}
    assert may_stand_together(held, wanted) == (len(kinds) == 1)  # type: ignore[arg-type]


DAYS = st.one_of(st.none(), st.integers(0, 12).map(lambda n: date(2020, 1, 1 + n)))


@given(st.tuples(DAYS, DAYS), st.tuples(DAYS, DAYS))
def test_overlap_against_counting_days(one: tuple[date | None, ...], other: tuple[date | None, ...]) -> None:
    def days(period: tuple[date | None, ...]) -> set[int]:
        low = period[0].toordinal() if period[0] else date(2019, 12, 1).toordinal()
        high = period[1].toordinal() if period[1] else date(2020, 2, 28).toordinal()
        return set(range(low, high))

    if not days(one) or not days(other):
        return
    regions = [Region("329900", "某", "city", valid_from=p[0], valid_until=p[1]) for p in (one, other)]
    assert overlaps(*regions) == bool(days(one) & days(other))


CODES = st.sampled_from(["own", "*", "A", "B"])


@given(declared=st.lists(CODES, min_size=1), own=st.sampled_from(["A", "B", "C"]), asked=st.sampled_from("ABCD"))
def test_resolved_right_against_an_oracle(declared: list[str], own: str, asked: str) -> None:
    right = resolve_right(RightSpec("a.b", tuple(declared)), organization=own, regions=())
    expected = "*" in declared or asked in declared or ("own" in declared and asked == own)
    assert right.covers(organization=asked, region=None, kind=None) == expected


def test_wait_doubles_up_to_a_quarter_hour() -> None:
    waits = [wait_after(n).total_seconds() for n in range(FREE_FAILURES, FREE_FAILURES + 8)]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert wait_after(FREE_FAILURES - 1).total_seconds() == 0
    assert wait_after(10_000).total_seconds() == 900
