"""The demonstration city: departments, persons, sources, resources published by two-person review, loads."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from yunhe.cli.commands import say
from yunhe.cli.demo.generate import generate_city, sources_folder
from yunhe.cli.setup import make_node
from yunhe.core.cases import api as cases
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.core.packs import api as packs
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange import api as exchange
from yunhe.data.lake import api as lake
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.errors import Conflict
from yunhe.kernel.pages import PageRequest

Note = Callable[[str], None]
LETTERS = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are mistaken for others
BUREAU, CONSUMER = "市数据局", "市人社局"


class AnotherCity(Conflict):
    code = "another_city"
    sentences = {
        "zh": "{home} 里已有一座演示城市（{people} 人，种子 {seed}）。要另建请换一个 YUNHE_HOME。",
        "en": "{home} already holds a demonstration city ({people} people, seed {seed}). Use another YUNHE_HOME.",
    }


@dataclass(frozen=True, slots=True)
class _Account:
    username: str
    name: str
    organization: str
    role: str
    role_name: str


ACCOUNTS: tuple[_Account, ...] = (
    _Account("shuju", "数据管理员", BUREAU, "data_admin", "数据管理员"),
    _Account("xitong", "系统管理员", BUREAU, "system_admin", "系统管理员"),
    _Account("anquan", "安全管理员", BUREAU, "security_admin", "安全管理员"),
    _Account("shenji", "审计管理员", BUREAU, "audit_admin", "审计管理员"),
    _Account("gongan", "公安数据专员", "市公安局", "data_steward", "数据专员"),
    _Account("gongan.lead", "公安数据负责人", "市公安局", "data_leader", "数据负责人"),
    _Account("shichang", "市监数据专员", "市市场监管局", "data_steward", "数据专员"),
    _Account("shichang.lead", "市监数据负责人", "市市场监管局", "data_leader", "数据负责人"),
    _Account("minzheng", "民政数据专员", "市民政局", "data_steward", "数据专员"),
    _Account("minzheng.lead", "民政数据负责人", "市民政局", "data_leader", "数据负责人"),
    _Account("renshe", "人社数据专员", CONSUMER, "data_steward", "数据专员"),
    _Account("renshe.ban", "人社经办人", CONSUMER, "officer", "经办人"),
)
STEWARDS = {"市公安局": "gongan", "市市场监管局": "shichang", "市民政局": "minzheng"}


def make_city(*, people: int, seed: int, note: Note) -> dict[str, Any]:
    """Make or finish the city; run again it goes on where it stopped and ends at once when whole.

    Shape: {"home","people","seed","accounts","resources"}; passwords only of accounts just made.
    Raises: AnotherCity if the node holds a city of another size or seed.
    """
    make_node(note=note, bare=True)
    home = Path(settings.HOME)
    mark = home / "demo" / "city.json"
    known = json.loads(mark.read_text("utf-8")) if mark.exists() else {}
    if known and (known["people"], known["seed"]) != (people, seed):
        raise AnotherCity(home=home, people=known["people"], seed=known["seed"])
    if known.get("whole"):
        return {"home": str(home), "people": people, "seed": seed, "accounts": [], "resources": known["resources"]}
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"people": people, "seed": seed}), "utf-8")
    packs.load_pack(name_or_path="demo", actor=job_actor("demo"))
    accounts = _accounts(note)
    note(say(f"按 {people} 人生成数据源 …", f"making the sources of {people} people …"))
    generate_city(folder=sources_folder(home), people=people, seed=seed, progress=_progress(note))
    resources = [_resource(path, note) for path in _contracts()]
    _first_request(resources)
    mark.write_text(
        json.dumps({"people": people, "seed": seed, "whole": True, "resources": resources}, ensure_ascii=False), "utf-8"
    )
    return {"home": str(home), "people": people, "seed": seed, "accounts": accounts, "resources": resources}


def retire_city() -> int:
    """Switch every demonstration account off; the data and the proofs stay. Return how many."""
    retired = 0
    for account in ACCOUNTS:
        if organizations.list_memberships(username=account.username):
            organizations.close_user(username=account.username, actor=job_actor("demo"))
            retired += 1
    (Path(settings.HOME) / "demo" / "accounts.live").unlink(missing_ok=True)
    return retired


def _accounts(note: Note) -> list[dict[str, str]]:
    actor = job_actor("demo")
    have = {p.username for p in organizations.list_persons(request=PageRequest(size=500), actor=actor).items}
    (Path(settings.HOME) / "demo" / "accounts.live").touch()
    made = []
    for account in ACCOUNTS:
        if account.username in have:
            continue
        password = "".join(secrets.choice(LETTERS) for _ in range(12))
        organizations.create_user(
            username=account.username, display_name=account.name, password=password, actor=actor
        )
        organizations.add_membership(
            username=account.username, organization=account.organization, role=account.role, actor=actor
        )
        made.append(
            {
                "username": account.username,
                "password": password,
                "organization": account.organization,
                "role": account.role_name,
            }
        )
    return made


def _contracts() -> list[Path]:
    return sorted((packs.find_pack_folder(name="demo") / "resources").glob("*.yml"))


def _resource(path: Path, note: Note) -> dict[str, Any]:
    """Register one contract by its steward, publish it by its leader and the bureau, load it."""
    text = path.read_text("utf-8").replace("{demo}", str(sources_folder(Path(settings.HOME))))
    contract = catalog.parse_contract(text=text, file=str(path))
    owner = organizations.get_organization(code=contract.provider)
    steward = organizations.find_actor(username=STEWARDS[owner.short_name])
    found = _registered(contract.title, steward)
    if found is None:
        note(say(f"登记并发布“{contract.title}” …", f'registering and publishing "{contract.title}" …'))
        found = catalog.register_resource(contract=contract, actor=steward).code
        catalog.submit_resource(code=found, actor=steward)
    if catalog.get_resource(code=found).state != "published":
        _approve(found, STEWARDS[owner.short_name] + ".lead", "approve")
        _approve(found, "shuju", "publish")
    if lake.find_current_release(code=found) is None:
        note(say(f"装载“{contract.title}” …", f'loading "{contract.title}" …'))
        job = lake.start_load(code=found, actor=steward)
        while jobs.get_job(job_id=job).is_open:
            jobs.run_pending(limit=1, job_id=job)
    jobs.run_pending(limit=20)
    release = lake.current_release(code=found)
    note(f"  {found}  {contract.title}  {release.rows} {say('行', 'rows')}")
    return {"code": found, "title": contract.title, "owner": owner.short_name, "rows": release.rows}


def _registered(title: str, actor: Actor) -> str | None:
    page = catalog.list_resources(request=PageRequest(size=100, search=title), actor=actor)
    return next((line.code for line in page.items if line.title == title), None)


def _approve(code: str, username: str, action: str) -> None:
    actor = organizations.find_actor(username=username)
    request = PageRequest(size=100, filters={"kind": "publication"})
    for item in cases.list_waiting(request=request, actor=actor).items:
        case = cases.access_case(case_id=item.case_id, actor=actor).case
        if case.data.get("code") == code and any(a.name == action for a in _actions(item.case_id, actor)):
            cases.act(case_id=item.case_id, action=action, data={"opinion": "同意"}, actor=actor)


def _actions(case_id: str, actor: Actor) -> Any:
    return cases.access_case(case_id=case_id, actor=actor).actions


def _first_request(resources: list[dict[str, Any]]) -> None:
    """Leave one data request waiting, so that the owner's inbox has something to do."""
    actor = organizations.find_actor(username="renshe")
    code = next(r["code"] for r in resources if r["owner"] == "市民政局")
    waiting = cases.list_cases(request=PageRequest(filters={"kind": "data_request"}), actor=actor)
    if waiting.total:
        return
    fields = tuple(f.name for f in catalog.get_resource(code=code).contract.fields[:3])
    exchange.request_access(
        resource_code=code,
        fields=fields,
        purpose="办理失业人员社会保险关系转移时核对婚姻登记",
        legal_basis="演示数据，无法律依据",
        actor=actor,
    )


def _progress(note: Note) -> Callable[[int, int, str], None]:
    shown = {"tenth": -1}

    def report(done: int, total: int, what: str) -> None:
        tenth = done * 10 // total if total else 0
        if tenth != shown["tenth"]:
            shown["tenth"] = tenth
            note(f"  {what} {tenth * 10}%")

    return report
