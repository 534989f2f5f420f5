"""Many who write at once, each in a process or thread of its own. Run by test_crowd.py.

Arguments: how many processes, how often each writes, how many threads race. Prints what came out.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
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
        "states": Counter(CaseRecord.objects.values_list("state", flat=True)),
        "replayed": [
            cases.replay_case(case_id=key, actor=FOUNDER).equal for key in CaseRecord.objects.values_list("pk", flat=True)[:20]
        ],
    }


def repeat(write: Callable[[], str], count: int) -> list[str]:
    made = [write() for _ in range(count)]
    connections.close_all()
    return made


def together(write: Callable[[], str], processes: int, count: int) -> list[str]:
    """Write in several processes at once; they are forked, so no connection may be open."""
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        found = pool.starmap(repeat, [(write, count)] * processes, chunksize=1)
    return [one for made in found for one in made]


if __name__ == "__main__":
    processes, count, threads = map(int, sys.argv[1:])
    setup()
    raced = race(threads)
    numbers, codes = together(open_one, processes, count), together(create_one, processes, count)
    sys.stdout.write(json.dumps({"raced": raced, "made_numbers": numbers, "made_codes": codes, **report()}))
