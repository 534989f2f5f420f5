"""Many who register resources at once, on a database of their own. Run by test_codes.py; prints what came out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from tests.data.catalog.contracts import persons  # noqa: E402
from yunhe.core.keys.api import create_node_key  # noqa: E402
from yunhe.core.organizations import api as organizations  # noqa: E402
from yunhe.core.packs import api as packs  # noqa: E402
from yunhe.core.registers import api as registers  # noqa: E402
from yunhe.data.catalog import api  # noqa: E402
from yunhe.data.catalog.errors import TitleTaken  # noqa: E402
from yunhe.data.catalog.types import RESOURCE_TYPE  # noqa: E402
from yunhe.kernel.actor import job_actor  # noqa: E402
from yunhe.kernel.pages import PageRequest  # noqa: E402

FOUNDER = job_actor("tests")
BODY_CODE = "113299000032990445"


def setup() -> None:
    call_command("migrate", verbosity=0)
    create_node_key()
    packs.load_pack(name_or_path="national", actor=FOUNDER)
    organizations.create_organization(
        code=BODY_CODE, name="示范市市场监督管理局", short_name="市市场监管局", region="110000", actor=FOUNDER
    )


def register(title: str) -> str:
    try:
        contract = replace(api.parse_contract(text=persons()), title=title)
        return api.register_resource(contract=contract, actor=FOUNDER).code
    except TitleTaken:
        return "taken"
    finally:
        connections.close_all()


def main(threads: int, each: int) -> None:
    setup()
    titles = [f"资源{number}" for number in range(threads * each)]
    with ThreadPoolExecutor(threads) as pool:
        codes = list(pool.map(register, titles))
        same = Counter("taken" if told == "taken" else "won" for told in pool.map(register, ["同名资源"] * threads))
    entries = registers.list_entries(type_code=RESOURCE_TYPE, request=PageRequest(size=1), actor=FOUNDER).total
    listed = api.list_resources(request=PageRequest(size=1), actor=FOUNDER).total
    sys.stdout.write(json.dumps({"codes": codes, "same": same, "entries": entries, "listed": listed}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
