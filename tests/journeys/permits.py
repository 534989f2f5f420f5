"""Permits in many positions on a node, opened and acted on by the persons of the demonstration city.

A process of its own under the node's settings: `python -m tests.journeys.permits COUNT` prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import django

PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit"
MARKET, POLICE, BUREAU, CIVIL = "市市场监管局", "市公安局", "市数据局", "市民政局"
HEADS = {MARKET: "shichang.lead", POLICE: "gongan.lead", BUREAU: "shuju", CIVIL: "minzheng.lead"}
ASKED = (MARKET, POLICE, BUREAU)


def second_version(folder: Path) -> Path:
    """Write the pack with a second version: a fire safety check joins the review, and the departments have longer."""
    (folder / "cases").mkdir(parents=True)
    (folder / "pack.yml").write_text((PERMIT / "pack.yml").read_text("utf-8"), "utf-8")
    text = (PERMIT / "cases" / "permit.yml").read_text("utf-8")
    changed = (
        ("行政许可（示例）", "行政许可（示例，第二版）"),
        ("{amount: 10, unit: workdays, basis: 示例约定：会签 10 个工作日}", "{amount: 12, unit: workdays, basis: 示例约定：会签 12 个工作日}"),
        ("          - {open_obligation: opinion}\n", "          - {open_obligation: opinion}\n          - {open_obligation: fire}\n"),
        ("  decide:\n    title", f"{FIRE}  decide:\n    title"),
    )
    for before, after in changed:
        assert before in text, before
        text = text.replace(before, after, 1)
    (folder / "cases" / "permit.yml").write_text(text, "utf-8")
    return folder


FIRE = """\
  fire:
    title: {zh: 消防核查, en: Fire safety check}
    who: {organization: owner, roles: [data_steward]}
    group: opinions
    limits:
      - {amount: 5, unit: workdays, basis: 示例约定：消防核查 5 个工作日}
    actions:
      agree:
        title: {zh: 消防合格, en: Safe}
        outcome: agreed
        style: primary
      object:
        title: {zh: 消防不合格, en: Unsafe}
        outcome: objected
        style: danger
"""


def spread(count: int) -> dict[str, Any]:
    """Open that many permits and lead them to different positions; return their numbers by position, and the departments."""
    from yunhe.core.cases import api as cases
    from yunhe.core.organizations import api as organizations
    from yunhe.kernel.actor import job_actor
    from yunhe.kernel.pages import PageRequest

    bodies = {b.label: b.code for b in organizations.list_organizations(request=PageRequest(size=500), actor=job_actor("tests")).items}
    who = {name: organizations.find_actor(username=name) for name in ("renshe", "shichang", *HEADS.values())}
    listed = {"departments": [bodies[name] for name in ASKED]}
    found: dict[str, list[str]] = {}
    for number in range(count):
        data = {"place": f"解放路 {number} 号", "area": 10 + number}
        case = cases.open_case(kind="permit", title=f"招牌 {number}", data=data, owner=bodies[MARKET], actor=who["renshe"])
        step = number % 10
        where = "accept" if step == 0 else "complete" if step == 1 else "decide" if step == 9 else f"opinion{3 - max(step - 6, 0)}"
        if step == 1:
            cases.act(case_id=case.case_id, action="ask", data={"missing": "照片"}, actor=who["shichang"])
        if step > 1:
            cases.act(case_id=case.case_id, action="accept", data=listed, actor=who["shichang"])
        for body in ASKED[: max(step - 6, 0)]:
            cases.act(case_id=case.case_id, action="agree", data={}, actor=who[HEADS[body]])
        found.setdefault(where, []).append(case.number)
    return {"numbers": found, "bodies": bodies}


def replay_all() -> dict[str, Any]:
    """Fold the events of every permit and compare them with its rows."""
    from yunhe.core.cases import api as cases
    from yunhe.kernel.actor import job_actor
    from yunhe.kernel.pages import PageRequest

    counted: Counter[str] = Counter()
    page, different = 1, []
    while True:
        got = cases.list_cases(request=PageRequest(page=page, size=500, filters={"kind": "permit"}), actor=job_actor("tests"))
        for case in got.items:
            replayed = cases.replay_case(case_id=case.case_id, actor=job_actor("tests"))
            counted["equal" if replayed.equal else "different"] += 1
            different += [] if replayed.equal else [(case.number, replayed.differences)]
        page += 1
        if page > got.pages:
            return {"equal": counted["equal"], "different": different}


def finish(numbers: list[str]) -> dict[str, Any]:
    """Lead permits under review to their end: whoever owes something agrees, then the owner grants; replay all."""
    from yunhe.core.cases import api as cases
    from yunhe.core.organizations import api as organizations
    from yunhe.kernel.actor import job_actor
    from yunhe.kernel.pages import PageRequest

    actors = [organizations.find_actor(username=name) for name in (*HEADS.values(), "shichang")]
    ended = {}
    for number in numbers:
        (case,) = cases.list_cases(request=PageRequest(search=number), actor=job_actor("tests")).items
        while case.state != "closed":
            case = _next(number, case.case_id, actors)
        ended[number] = case.outcome
    return {"ended": ended, **replay_all()}


def _next(number: str, case_id: str, actors: list[Any]) -> Any:
    from yunhe.core.cases import api as cases
    from yunhe.kernel.pages import PageRequest

    for actor in actors:
        waiting = cases.list_waiting(request=PageRequest(size=500, search=number), actor=actor).items
        offered = cases.access_case(case_id=case_id, actor=actor).actions if waiting else ()
        for action in offered:
            if action.name in ("agree", "grant") and not action.refusal:
                return cases.act(case_id=case_id, action=action.name, data={}, obligation_id=action.obligation_id, actor=actor)
    raise AssertionError(f"nobody can act on {case_id}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yunhe.settings.django")
    django.setup()
    told = json.loads(sys.argv[2]) if len(sys.argv) > 2 else None
    answer = {"spread": spread, "replay": lambda _told: replay_all(), "finish": finish}[sys.argv[1]](told)  # type: ignore[operator]
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
