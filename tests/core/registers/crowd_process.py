"""Many who write at once, each in a process or thread of its own. Run by test_crowd.py.

Arguments: how many processes, how often each writes, how many threads race. Prints what came out.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DEFAULT_DB_ALIAS, connections, transaction  # noqa: E402
from django.db.models import Max  # noqa: E402

from tests.core.cases.kinds import simple_kind  # noqa: E402
from tests.core.registers.conftest import ASSET, BODY  # noqa: E402
from yunhe.core.cases import api as cases  # noqa: E402
from yunhe.core.cases.errors import ActionNotOffered, CaseChanged  # noqa: E402
from yunhe.core.cases.models import CaseRecord, EventRecord  # noqa: E402
from yunhe.core.keys.api import create_node_key  # noqa: E402
from yunhe.core.organizations import api as organizations  # noqa: E402
from yunhe.core.organizations.types import Region  # noqa: E402
from yunhe.core.registers import api  # noqa: E402
from yunhe.core.registers.models import ChangeRecord, EntryRecord  # noqa: E402
from yunhe.core.registers.types import RegisterType  # noqa: E402
from yunhe.kernel.actor import ALL, Actor, Right, job_actor  # noqa: E402
from yunhe.kernel.clock import frozen, now  # noqa: E402

FOUNDER = job_actor("tests")
BODY_CODE = "113299000032990445"


def person(number: int, role: str = "data_leader") -> Actor:
    return Actor("user", f"user:{number}", f"人员{number}", BODY_CODE, "市市场监管局", role, (Right(ALL),))


def setup() -> None:
    call_command("migrate", verbosity=0)
    create_node_key()
    organizations.create_region(region=Region("329900", "示范市", "city"), actor=FOUNDER)
    organizations.create_organization(
        code=BODY_CODE, name="示范市市场监督管理局", short_name="市市场监管局", region="329900", actor=FOUNDER
    )
    for role in ("data_steward", "data_leader"):
        organizations.define_role(code=role, title={"zh": role, "en": role}, rights=(), actor=FOUNDER, pack="national")
        organizations.create_user(username=role.replace("_", ""), display_name=role, actor=FOUNDER)
        organizations.add_membership(username=role.replace("_", ""), organization=BODY_CODE, role=role, actor=FOUNDER)
    cases.publish_kind(spec=simple_kind(), source="tests", actor=FOUNDER)
    api.define_type(declared=RegisterType.model_validate(ASSET), source="tests", actor=FOUNDER)
    open_one()


def open_one() -> str:
    case = cases.open_case(kind="leave_note", title="请示", data={"amount": 1}, actor=person(0), owner=BODY_CODE)
    return case.number


def change_ones_mind() -> None:
    """Open a case and take it back in the same transaction: nobody ever had its number."""
    with transaction.atomic():
        open_one()
        transaction.set_rollback(True)


def open_many(writer: int, count: int) -> list[str]:
    """Open cases, in turn on one of three days; some give up first, and some close what they opened."""
    made = []
    for number in range(count):
        with frozen(now() + timedelta(days=(writer + number) % 3)):
            if number % 5 == 0:
                change_ones_mind()
            made.append(open_one())
            if number % 7 == 0:
                case = CaseRecord.objects.get(number=made[-1])
                cases.act(case_id=case.pk, action="agree", data={"text": "好"}, actor=person(writer + 1))
    connections.close_all()
    return made


def killed(after: int) -> list[str]:
    """Let a process open cases until it is killed, wherever it is then; return the numbers that it told."""
    connections.close_all()
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        while True:
            os.write(theirs, f"{open_one()}\n".encode())
    os.close(theirs)
    with os.fdopen(ours) as told:
        made = [told.readline().strip() for _ in range(after)]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return [*made, *(line.strip() for line in told if line.endswith("\n"))]


def removed() -> dict[str, str]:
    """Remove the last case of today as nobody can but the database, and open another: it has a number of its own."""
    connections.close_all()
    last = CaseRecord.objects.get(number=open_one())
    with transaction.atomic():
        erase(CaseRecord, [last.pk])
    return {"gone": last.number, "next": open_one()}


def erase(model: Any, keys: list[Any]) -> None:
    """Remove rows, and before them all that refers to them."""
    for other in apps.get_models():
        for field in [one for one in other._meta.concrete_fields if keys and one.related_model is model and other is not model]:
            erase(other, list(other._base_manager.filter(**{f"{field.name}__in": keys}).values_list("pk", flat=True)))
    model._base_manager.filter(pk__in=keys)._raw_delete(DEFAULT_DB_ALIAS)


def create_one() -> str:
    return api.create_entry(type_code="asset", owner=BODY_CODE, title="企业登记", body=BODY, actor=person(1)).code


def race(count: int) -> Counter[str]:
    """Let many persons answer the same obligation at the same moment."""
    case = cases.get_case(case_id=CaseRecord.objects.earliest("opened_at").pk)

    def answer(number: int) -> str:
        try:
            cases.act(
                case_id=case.case_id, action="agree", data={"text": "好"}, expected_version=1, actor=person(number + 10)
            )
        except CaseChanged:
            return "told"
        except ActionNotOffered:
            return "late"
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(answer, range(count)))


def report() -> dict[str, object]:
    return {
        "numbers": list(CaseRecord.objects.order_by("number").values_list("number", flat=True)),
        "codes": list(EntryRecord.objects.order_by("code").values_list("code", flat=True)),
        "sequences": list(ChangeRecord.objects.order_by("sequence").values_list("sequence", flat=True)),
        "most_events": EventRecord.objects.aggregate(most=Max("seq"))["most"],
        "first": CaseRecord.objects.earliest("opened_at").state,
        "replayed": [
            cases.replay_case(case_id=key, actor=FOUNDER).equal for key in CaseRecord.objects.values_list("pk", flat=True)[:20]
        ],
    }


def repeat(write: Callable[[], str], _: int, count: int) -> list[str]:
    made = [write() for _ in range(count)]
    connections.close_all()
    return made


def together(write: Callable[[], str], processes: int, count: int) -> list[str]:
    return at_once(partial(repeat, write), processes, count)


def at_once(work: Callable[[int, int], list[str]], processes: int, count: int) -> list[str]:
    """Let several processes work at once; they are forked, so no connection may be open."""
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        found = pool.starmap(work, [(number, count) for number in range(processes)], chunksize=1)
    return [one for made in found for one in made]


if __name__ == "__main__":
    processes, count, threads, kills = map(int, sys.argv[1:])
    setup()
    raced = race(threads)
    numbers, codes = at_once(open_many, processes, count), together(create_one, processes, count)
    for _ in range(kills):
        numbers += killed(3)
    found = {"raced": raced, "made_numbers": numbers, "made_codes": codes, **report()}
    sys.stdout.write(json.dumps({**found, "removed": removed()}))
