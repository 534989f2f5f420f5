"""What the measurements of cases share: a node with bodies, persons and the measured kind; made once, copied per run.

The node is an embedded one as `make demo` makes it (SQLite, WAL, the national pack with its roles). Actors are
resolved before the clock starts, as they are once per request; every step checks their rights.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench._harness import WORK, note, run_apart

if TYPE_CHECKING:
    from yunhe.kernel.actor import Actor

HERE = Path(__file__).parent
KIND = "bench_permit"
DEPARTMENTS = 400
HUMAN_STEPS = 7
FORM_BYTES = 4096
SYNCHRONOUS = ("NORMAL", "FULL")


def start_node(home: Path, *, synchronous: str = "FULL", database: str = "") -> None:
    """Have Django stand on the node in `home`, or with the PostgreSQL `database` as a server's.

    `synchronous` is SQLite's; the product's own is FULL.
    """
    os.environ.update(YUNHE_HOME=str(home), YUNHE_PROFILE="server" if database else "embedded", DJANGO_SETTINGS_MODULE="yunhe.settings.django")
    if database:
        os.environ["YUNHE_DATABASE"] = database
    import django

    django.setup()
    if synchronous != "FULL" and not database:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={synchronous}")


def template() -> Path:
    """Return the folder of the node that runs start from; made anew when kind or code that makes it changed."""
    from yunhe import core

    home, mark = WORK / "cases-node", WORK / "cases-node.mark"
    tables = sorted(Path(next(iter(core.__path__))).glob("*/migrations/0*.py"))
    wanted = "\n".join(
        [*(file.read_text() for file in tables), Path(__file__).read_text(), (HERE / "kinds/permit.yml").read_text()]
    )
    if not (mark.exists() and home.exists() and mark.read_text() == wanted):
        note("making the node that runs start from")
        shutil.rmtree(home, ignore_errors=True)
        WORK.mkdir(exist_ok=True)
        run_apart("bench._cases", home)
        mark.write_text(wanted)
    return home


def copy_node(name: str) -> Path:
    """Return a fresh copy of the node for one run."""
    home = WORK / name
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template(), home)
    return home


def make_form(number: int, departments: list[str]) -> dict[str, Any]:
    """Return the values of a form of 4 KB, the same for the same number."""
    values: dict[str, Any] = {
        "place": f"人民路 {number % 900 + 1} 号", "area": 100 + number % 900, "begins": "2026-03-02", "cost": "125000.50",
        "uses": "shop", "departments": departments,
        "papers": [{"name": f"材料 {place}", "number": f"WH-{number}-{place}", "pages": place} for place in range(1, 13)],
        "statement": "",
    }  # fmt: skip
    short = FORM_BYTES - len(json.dumps(values, ensure_ascii=False).encode())
    values["statement"] = "situation " * (max(short, 10) // 10)
    return values


def steps_of(departments: list[str]) -> list[tuple[str, str, dict[str, str]]]:
    """Return the way of one case: whose turn (a person's name), action, form."""
    reviews = [(f"leader-{code.lower()}", "agree", {"note": "同意，无其他意见"}) for code in departments]
    return [
        ("steward", "accept", {"note": "材料齐全，予以受理"}), *reviews, ("leader", "grant", {"conditions": "按图施工，按期报验"}),
        ("leader", "seal", {"seal_number": "YZ-2026-0001"}), ("steward", "issue", {"note": "窗口领取"}),
    ]  # fmt: skip


class People:
    """The actors of the node by name, resolved when first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Actor] = {}

    def __getitem__(self, name: str) -> Actor:
        from yunhe.core.organizations import api as organizations

        if name not in self._known:
            self._known[name] = organizations.find_actor(username=name)
        return self._known[name]


def bodies() -> dict[str, str]:
    """Return the codes of the bodies that open and own, and of the departments, by name."""
    from yunhe.cli.demo.people import uscc

    names = ["applicant", "owner", *(f"department {number}" for number in range(DEPARTMENTS))]
    return {name: uscc(authority="11", region="999999", body=f"{place:08d}") for place, name in enumerate(names, 1)}


def departments(count: int) -> list[str]:
    """Return the codes of the first departments."""
    codes = bodies()
    return [codes[f"department {number}"] for number in range(count)]


def make_node(home: Path, database: str = "") -> None:
    """Make the node: tables, national pack, bodies, one person per seat, the measured kind."""
    start_node(home, database=database)
    from django.conf import settings

    from yunhe.cli import setup
    from yunhe.core.cases import api as cases
    from yunhe.core.organizations import api as organizations
    from yunhe.kernel.actor import job_actor

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in here
    founder = job_actor("bench")
    setup.make_node(note=note, bare=True)
    cases.publish_kind(spec=cases.read_kind(path=HERE / "kinds/permit.yml"), source="bench", actor=founder)
    codes = bodies()
    for name, code in codes.items():
        organizations.create_organization(code=code, name=f"示范{name}", region="100000", actor=founder)
    seats = {
        "opener": ("applicant", "data_steward"), "steward": ("owner", "data_steward"), "leader": ("owner", "data_leader"),
        **{f"leader-{codes[name].lower()}": (name, "data_leader") for name in codes if name.startswith("department")},
    }  # fmt: skip
    for username, (body, role) in seats.items():
        organizations.create_user(username=username, display_name=username, actor=founder)
        organizations.add_membership(username=username, organization=codes[body], role=role, actor=founder)
    if not database:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def open_permit(number: int, people: People, bodies_asked: list[str]) -> Any:
    """Open one case of the measured kind."""
    from yunhe.core.cases import api as cases

    form = make_form(number, bodies_asked)
    owner = people["steward"].organization
    return cases.open_case(kind=KIND, title=f"许可 {number}", data=form, owner=owner, actor=people["opener"])


def timed(samples: list[float], call: Callable[[], Any]) -> Any:
    """Run a call and note how long it took."""
    begun = time.perf_counter()
    result = call()
    samples.append(time.perf_counter() - begun)
    return result


if __name__ == "__main__":
    make_node(Path(sys.argv[1]), *sys.argv[2:])
    print(json.dumps({"made": sys.argv[1]}))
