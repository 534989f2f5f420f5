"""Every permission of exchange at every door: all others do not open it, this one does, over its own place only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps

from tests.conftest import Cast
from tests.data.exchange.world import THREE, ask, grant, line, written
from yunhe.core.cases import api as cases
from yunhe.data.exchange import api
from yunhe.data.exchange.errors import NoDoor
from yunhe.kernel.actor import Actor, Right
from yunhe.kernel.errors import Missing, Refused, YunheError
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = PageRequest()
IN = "in"


@dataclass(frozen=True, slots=True)
class World:
    """What the doors lead to: a resource, a request that waits, two grants in force, a call, a system."""

    code: str
    waiting: str
    kept: str
    spare: str
    key_id: str
    consumer: str


@pytest.fixture
def world(released: str, cast: Cast, tmp_path: Path) -> World:
    kept, spare = grant(released, cast), grant(released, cast)
    system = api.create_system(name="社保", organization=cast.other.code, actor=cast.clerk.actor).system
    waiting = ask(released, cast)
    written(tmp_path / "spool", line(released, cast, facts={"grant": kept.grant_id})).collect()
    return World(released, waiting, kept.grant_id, spare.grant_id, system.key_id, cast.other.code)


class Door(NamedTuple):
    """What one permission opens.

    `elsewhere`: what holding it over another organisation only meets; None for an empty list, IN for the same as here.
    """

    name: str
    permissions: tuple[str, ...]
    who: str
    refusal: type[YunheError]
    elsewhere: type[YunheError] | str | None
    enter: Callable[[World, Actor], Any]


def _decide(world: World, actor: Actor) -> object:
    data = {"fields": ["uscc"], "until": "2027-01-01"}
    return cases.act(case_id=world.waiting, action="grant", data=data, actor=actor)


def _rows(world: World, actor: Actor, **more: Any) -> object:
    return api.read_rows(actor=actor, resource_code=world.code, purpose="核对", **more)


def _request(world: World, actor: Actor) -> object:
    return api.request_access(resource_code=world.code, fields=THREE, purpose="核对", legal_basis="演示", actor=actor)


def _query(world: World, actor: Actor) -> object:
    return api.run_query(sql=f'SELECT uscc FROM "{world.code}"', purpose="核对", actor=actor)


DOORS = (
    Door("request", ("exchange.request",), "clerk", Refused, Refused, _request),
    Door("decide", ("exchange.decide",), "leader", Refused, Refused, _decide),
    Door("revoke", ("exchange.decide",), "leader", Missing, Missing,
         lambda w, a: api.revoke_grant(grant_id=w.spare, reason="办结", actor=a)),
    Door("create a system", ("exchange.systems",), "clerk", Refused, Refused,
         lambda w, a: api.create_system(name="新", organization=w.consumer, actor=a)),
    Door("list systems", ("exchange.systems",), "clerk", Refused, None,
         lambda w, a: api.list_systems(request=PAGE, actor=a).items),
    Door("revoke a system", ("exchange.systems",), "clerk", Missing, Missing,
         lambda w, a: api.revoke_system(key_id=w.key_id, actor=a)),
    Door("one's own rows", ("lake.view",), "steward", NoDoor, NoDoor, _rows),
    Door("granted rows", ("exchange.view",), "clerk", NoDoor, NoDoor, _rows),
    Door("rows of a grant", ("exchange.view",), "clerk", NoDoor, NoDoor, lambda w, a: _rows(w, a, grant_id=w.kept)),
    Door("quarantine", ("quality.keys",), "steward", NoDoor, NoDoor, lambda w, a: _rows(w, a, source="quarantine")),
    Door("rejected", ("quality.keys",), "steward", NoDoor, NoDoor, lambda w, a: _rows(w, a, source="rejected")),
    Door("failing keys", ("quality.keys",), "steward", NoDoor, NoDoor, lambda w, a: _rows(w, a, source="failing_keys")),
    # A query belongs to no place: whose rows it sees is judged for each resource.
    Door("query", ("query.run",), "clerk", Refused, IN, _query),
    Door("query of granted rows", ("exchange.view",), "clerk", NoDoor, NoDoor, _query),
    Door("query of one's own rows", ("lake.view",), "steward", NoDoor, NoDoor, _query),
    Door("list grants", ("exchange.view",), "clerk", Refused, None,
         lambda w, a: api.list_grants(request=PAGE, actor=a).items),
    Door("a grant", ("exchange.view",), "clerk", Refused, Missing, lambda w, a: api.access_grant(grant_id=w.kept, actor=a)),
    Door("a grant's calls", ("exchange.view",), "clerk", Refused, Missing,
         lambda w, a: api.list_calls(grant_id=w.kept, request=PAGE, actor=a).items),
    Door("a grant's calls as evidence", ("evidence.view_own", "evidence.view"), "clerk", Refused, None,
         lambda w, a: api.list_calls(grant_id=w.kept, request=PAGE, actor=a).items),
)  # fmt: skip


def all_permissions() -> set[str]:
    """Return the permissions that the rooms declare."""
    rooms = [f"{config.name}.types" for config in apps.get_app_configs() if config.name.startswith("yunhe.")]
    modules = [import_module(name) for name in rooms if find_spec(name)]
    return {name for module in modules for name in getattr(module, "PERMISSIONS", {})}


def holding(actor: Actor, here: set[str], elsewhere: tuple[str, ...] = (), other: str = "") -> Actor:
    """Return the actor with these rights over the own organisation and over another; the ledger is one for all."""
    own = [Right(name, frozenset({actor.organization})) for name in sorted(here)]
    away = [Right(name, frozenset({other})) for name in elsewhere]
    return replace(actor, rights=(*own, *away, Right("ledger.view")))


def meets(door: Door, world: World, actor: Actor) -> type[YunheError] | str | None:
    """Return the class of the refusal; None for an empty list, else IN."""
    try:
        found = door.enter(world, actor)
    except YunheError as error:
        return type(error)
    return None if found == () else IN


def test_every_permission_of_exchange_opens_its_doors_and_nothing_else_does(world: World, cast: Cast) -> None:
    everything = all_permissions()
    assert everything >= {name for door in DOORS for name in door.permissions}
    wrong = []
    for door in DOORS:
        actor: Actor = getattr(cast, door.who).actor
        others = everything - set(door.permissions)
        tried = (
            ("without", holding(actor, others), door.refusal),
            ("elsewhere", holding(actor, others, door.permissions, cast.bureau.code), door.elsewhere),
            ("with", holding(actor, everything), IN),
        )
        for name, one, expected in tried:
            met = meets(door, world, one)
            if met != expected:
                wrong.append((door.name, name, met, expected))
    assert wrong == []


def test_who_may_not_request_learns_nothing_of_resources(world: World, cast: Cast) -> None:
    others = all_permissions() - {"exchange.request"}
    for elsewhere in ((), ("exchange.request",)):
        actor = holding(cast.clerk.actor, others, elsewhere, cast.bureau.code)
        assert meets(DOORS[0], replace(world, code="300009/0001"), actor) is Refused
