"""The cast of persons, the node key, and what `make test` and `make soak` do differently.

The root conftest.py gives the tests a home of their own before Django reads its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime

import pytest
from django.conf import settings as django_settings
from django.utils import translation
from hypothesis import HealthCheck, settings

from tests.core.cases.kinds import NATIONAL
from tests.journeys.made import MadeHomes
from tests.remembered import remembered
from tests.soaking import amount, is_soaking, seed_of
from yunhe.core.cases import api as cases
from yunhe.core.keys.api import create_node_key, has_node_key
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Organization, Region, RightSpec
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.workdays import read_calendar

settings.register_profile(
    "fixed",
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("soak" if is_soaking() else "fixed")


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """No test goes on in the language that another left: a command line in the process speaks the shell's."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """One round of hashing: the tests sign in often, and the cost is Django's own matter."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _node_key() -> None:
    if not has_node_key():
        create_node_key()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeHomes]:
    """Nodes that are made once and put back for whoever asks next."""
    with ExitStack() as stack:
        yield MadeHomes(tmp_path_factory.mktemp("homes"), stack)


@pytest.fixture
def fault_count() -> Callable[[int, int], int]:
    """Return how often to strike: `fault_count(small, full)`."""
    return lambda small, full: amount(small=small, full=full)


@pytest.fixture
def soak_seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of this test: fixed in `make test`, printed and resumable in `make soak`."""
    return seed_of(request.node.name)


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cast, with the account's name and password and the Actor they are."""

    username: str
    password: str
    user_id: int
    membership_id: int
    actor: Actor


@dataclass(frozen=True, slots=True)
class Cast:
    """Who the tests are about. All generated; the codes 3299xx belong to no place.

    `bureau` the data bureau, `owner` a department that owns data, `other` one that asks for it.
    """

    bureau: Organization
    owner: Organization
    other: Organization
    data_admin: Member
    steward: Member
    leader: Member
    clerk: Member
    officer: Member
    bureau_clerk: Member
    system_admin: Member
    security_admin: Member
    audit_admin: Member


OWN_AND_ALL = {"own": ("own",), "all": ("*",)}
OF_CASES = "cases.view cases.act"
# The sets of a role: where it holds, then the kinds of cases that it is limited to, and the permissions.
ROLES: dict[str, tuple[str, dict[str, str]]] = {
    "system_admin": ("system", {
        "all": "organizations.view organizations.manage jobs.view jobs.manage packs.view packs.load cases.change",
        "all account_request account_closing": OF_CASES,
    }),
    "security_admin": ("security", {
        "all": "organizations.view roles.manage packs.view packs.load packs.rights",
        "all account_request account_closing role_request": OF_CASES,
        "all leave_handover": "cases.act",
    }),
    "audit_admin": ("audit", {
        "all": "evidence.view organizations.view jobs.view packs.view",
    }),
    "data_admin": ("", {
        "all": "ledger.view ledger.edit ledger.review ledger.publish lake.view lake.load quality.view exchange.view "
        "cases.view cases.act cases.supervise cases.change standards.view standards.edit jobs.view jobs.manage organizations.view packs.view api.docs",
        "own": "quality.keys exchange.request exchange.decide exchange.systems query.run evidence.view_own organizations.request",
    }),
    "data_steward": ("", {
        "all": "ledger.view standards.view organizations.view packs.view api.docs",
        "own": "ledger.edit lake.view lake.load quality.view quality.keys exchange.request exchange.view "
        "exchange.systems query.run cases.view cases.act jobs.view evidence.view_own",
    }),
    "data_leader": ("", {
        "all": "ledger.view standards.view organizations.view api.docs",
        "own": "ledger.review ledger.publish lake.view quality.view exchange.view exchange.decide cases.view cases.act "
        "cases.supervise evidence.view_own organizations.request",
    }),
    "officer": ("", {
        "all": "ledger.view standards.view organizations.view api.docs",
        "own": "exchange.request exchange.view query.run cases.view cases.act",
    }),
}  # fmt: skip
BODIES = {
    "bureau": ("11329900003299028F", "示范市数据局", "市数据局"),
    "owner": ("113299000032990445", "示范市市场监督管理局", "市市场监管局"),
    "other": ("11329900003299060T", "示范市人力资源和社会保障局", "市人社局"),
}
PERSONS = {
    "data_admin": ("bureau", "data_admin", "数据主管甲"),
    "bureau_clerk": ("bureau", "officer", "经办人乙"),
    "steward": ("owner", "data_steward", "数据专员丙"),
    "leader": ("owner", "data_leader", "数据负责人丁"),
    "officer": ("owner", "officer", "经办人戊"),
    "clerk": ("other", "data_steward", "数据专员己"),
    "system_admin": ("bureau", "system_admin", "系统管理员庚"),
    "security_admin": ("bureau", "security_admin", "安全管理员辛"),
    "audit_admin": ("bureau", "audit_admin", "审计管理员壬"),
}


@pytest.fixture
def roles(db: None) -> None:
    """The roles of the house, as the national pack declares them (a test compares the two)."""
    remembered(("roles", standing()), make_roles)


def make_roles() -> None:
    """Define the roles of the house; also for programs that have no fixtures."""
    for code, (separation, sets) in ROLES.items():
        rights = tuple(
            RightSpec(permission, OWN_AND_ALL[where], kinds=tuple(kinds) or ("*",))
            for (where, *kinds), names in ((key.split(), names) for key, names in sets.items())
            for permission in names.split()
        )
        organizations.define_role(
            code=code, title={"zh": code, "en": code}, rights=rights, separation=separation, actor=job_actor("tests"),
            pack="national",
        )  # fmt: skip


@pytest.fixture
def cast(roles: None) -> Cast:
    """Three departments and nine persons, each with one membership."""
    return remembered(("cast", standing()), make_cast)


def load_national() -> None:
    """Load the national pack, as a node has it; for fixtures that need it before each test."""
    remembered(("national", standing()), lambda: packs.load_pack(name_or_path="national", actor=job_actor("tests")))


def load_calendar() -> None:
    """Put the workdays of the national pack into the calendar of the cases."""
    remembered(("calendar", standing()), _put_calendar)


def _put_calendar() -> None:
    cases.replace_calendar(days=read_calendar(NATIONAL / "calendars" / "workdays.csv").days, source="national")


def standing() -> tuple[datetime | None, date]:
    """Return where the clock is held, if it is, and the day."""
    held = now()
    return held if held == now() else None, local(held).date()


def make_cast() -> Cast:
    """Make the departments and persons of the cast; also for programs that have no fixtures."""
    founder = job_actor("tests")
    organizations.create_region(region=Region("329900", "示范市", "city"), actor=founder)
    bodies = {
        key: organizations.create_organization(
            code=code, name=name, short_name=short, region="329900", actor=founder
        )
        for key, (code, name, short) in BODIES.items()
    }
    members = {key: _member(key, bodies[body], role, name) for key, (body, role, name) in PERSONS.items()}
    return Cast(**bodies, **members)


@pytest.fixture
def founder() -> Actor:
    """The platform itself, for what no person of the cast is about."""
    return job_actor("tests")


def _member(username: str, body: Organization, role: str, name: str) -> Member:
    founder = job_actor("tests")
    made = organizations.create_user(username=username, display_name=name, actor=founder)
    membership = organizations.add_membership(
        username=username, organization=body.code, role=role, actor=founder
    )
    actor = organizations.actor_for(user_id=made.person.id, membership_id=membership.id)
    return Member(username, made.password, made.person.id, membership.id, actor)
