"""A node with people, kinds, a calendar and a channel of its own, made in the database that Django now has.

For programs in processes of their own; a test in pytest has the fixtures of the cast.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import yaml
from django.conf import settings

from tests.conftest import Cast, Member, make_cast, make_roles
from tests.core.cases.kinds import NATIONAL
from yunhe.core.cases import api as cases
from yunhe.core.cases.types import KindSpec, Operator
from yunhe.core.jobs.api import outbox
from yunhe.core.keys import api as keys
from yunhe.core.notices.api import registry
from yunhe.core.notices.api.contacts import _purpose
from yunhe.core.notices.models import ContactRow
from yunhe.core.notices.types import Channel, Letter
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.workdays import read_calendar

FOUNDER = job_actor("tests")
A_MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit" / "cases" / "permit.yml"
TOPIC = "tests.granted"
POST = "letters.txt"


@dataclass(frozen=True, slots=True)
class World:
    """Whom the story is about, and where letters that left the house are noted."""

    cast: Cast
    colleague: Member
    post: Path


def make_world(home: Path) -> World:
    """Make people, kinds and the calendar; do call `fill_slots` first."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if not keys.has_node_key():
        keys.create_node_key()
    make_roles()
    cast = make_cast()
    cases.replace_calendar(days=read_calendar(NATIONAL / "calendars" / "workdays.csv").days, source="national")
    for spec in (permit(), panel(), inner()):
        cases.publish_kind(spec=spec, source="tests", actor=FOUNDER)
    world = World(cast, _colleague(cast), home / POST)
    for member in (cast.leader, cast.steward, cast.officer, cast.clerk, world.colleague):
        row = ContactRow.objects.create(user_id=member.user_id, channel="trial", verified_at=now())
        row.sealed = keys.seal(purpose=_purpose(row, "address"), plaintext=f"{member.username}@trial".encode())
        row.save()
    return world


def fill_slots(home: Path) -> None:
    """Fill what rooms fill at start-up: an effect, who hears of it, and a way out of the house."""
    outbox._subscribers.setdefault(TOPIC, {})[f"{__name__}.{hear.__qualname__}"] = hear
    cases.register_effect(code="tests.grant", arguments=("number",), apply=grant)
    registry.apps = SimpleNamespace(ready=False)  # type: ignore[assignment]
    registry.register_channel(
        Channel(
            code="trial", title={"zh": "试验", "en": "Trial"}, deliver=lambda letter: write_letter(home / POST, letter),
            check=str.strip, mask=lambda address: "***", place=lambda letter: "", is_ready=lambda: True,
        )
    )  # fmt: skip
    for code, kind in list(registry._kinds.items()):
        del registry._kinds[code]
        registry.register_kind(code=code, title=kind.title, default_channels=("in_app", "trial"))


def grant(context: Any, number: str) -> None:
    """An effect of a room above: tells of it later, under a key that is the case's."""
    outbox.publish(topic=TOPIC, payload={"number": number}, key=f"{number}:granted")


def hear(message: Any) -> None:
    """Write down once, in the transaction of the delivery, that it was heard."""
    outbox.publish(topic="tests.heard", payload={}, key=message.key)


def write_letter(post: Path, letter: Letter) -> None:
    """Note the letter outside of the database; what is written outlives the process."""
    fd = os.open(post, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{letter.id}\n".encode())
    os.close(fd)


def permit_text() -> dict[str, Any]:
    """Return the permit of the examples without what needs the standards to be loaded."""
    told: dict[str, Any] = yaml.safe_load(PERMIT.read_text("utf-8"))
    told["fields"] = [field for field in told["fields"] if "element" not in field]
    return told


def plain_permit() -> KindSpec:
    """The permit of the examples as it is."""
    return KindSpec.model_validate(permit_text())


def permit(**changes: Any) -> KindSpec:
    """The permit of the examples; its grant calls an effect of a room above."""
    told = permit_text()
    told["obligations"]["decide"]["actions"]["grant"]["effects"].append(
        {"call": "tests.grant", "arguments": {"number": "case.number"}}
    )
    told["obligations"]["accept"]["transferable"] = True
    told["operators"] = list(get_args(Operator))
    return KindSpec.model_validate({**told, **changes})


def panel() -> KindSpec:
    """A permit whose departments each get a sub-case."""
    told = permit_text() | {"code": "panel", "prefix": "HQ"}
    told["obligations"]["opinion"] = {
        "title": "会签", "who": {"organization": "each", "each": "departments", "roles": ["data_leader", "data_admin"]},
        "group": "opinions", "child": {"kind": "inner", "outcomes": ["fine"], "data": {"place": "data.place", "area": "data.area"}},
    }  # fmt: skip
    return KindSpec.model_validate(told)


def inner() -> KindSpec:
    """What a department answers in a sub-case."""
    told = permit_text()
    told |= {"code": "inner", "prefix": "ZB", "groups": {}, "start": [{"open_obligation": "answer"}]}
    told |= {"fields": told["fields"][:2], "phases": told["phases"][:1], "withdraw": None}
    told["limits"] = [{name: value for name, value in limit.items() if name != "starts_with"} for limit in told["limits"]]
    who = {"organization": "owner", "roles": ["data_leader", "data_admin"]}
    actions = {"ok": {"title": "好", "outcome": "fine", "effects": [{"close_case": "fine"}]}}
    told["obligations"] = {"answer": {"title": "答复", "who": who, "actions": actions}}
    return KindSpec.model_validate(told)


def _colleague(cast: Cast) -> Member:
    made = organizations.create_user(username="tongshi", display_name="同事", actor=FOUNDER)
    told = {"username": "tongshi", "organization": cast.owner.code, "role": "data_steward"}
    membership = organizations.add_membership(**told, actor=FOUNDER)
    actor = organizations.actor_for(user_id=made.person.id, membership_id=membership.id)
    return Member("tongshi", made.password, made.person.id, membership.id, actor)
