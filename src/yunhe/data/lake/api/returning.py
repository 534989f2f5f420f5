"""Set-aside records go back to their source (回退数源): the case, and what the next load says about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.db import transaction
from django.urls import reverse

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered, CannotOperate, CaseSuspended
from yunhe.core.cases.types import Case, SubjectLine, SubjectView
from yunhe.core.jobs import api as jobs
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import ToRole
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.lake.api import places
from yunhe.data.lake.api.loads import get_load
from yunhe.data.lake.errors import NothingSetAside, ReturnUnderWay
from yunhe.data.lake.models import LoadRecord
from yunhe.data.lake.types import ROW_REASONS
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.errors import Missing
from yunhe.kernel.pages import PageRequest

RETURN_KIND = "quarantine_return"
RETURN_JOB = "lake.check_returns"
RETURN_SUBJECT = "set_aside"
RETURNED = "lake.returned"
STEWARDS = ("data_steward", "data_admin")
PATIENCE = 2
"""After so many loads that still had the records, the case is put under supervision."""


def return_to_source(*, load_id: str, reason: str, actor: Actor) -> Case:
    """Return the quarantined and rejected records of a load to the source's department; the case holds counts only.

    Raises: Missing, NothingSetAside, ReturnUnderWay; Refused without lake.load over the owner.
    """
    load = get_load(load_id=load_id, actor=actor)
    if not (load.quarantined or load.rejected):
        raise NothingSetAside(load=load_id)
    known = find_return(load_id=load_id)
    if known is not None:
        raise ReturnUnderWay(load=load_id, case=known.number)
    resource = catalog.access_resource(code=load.resource_code, actor=actor)
    data = {
        "resource": resource.code,
        "resource_title": resource.title,
        "load_id": load.load_id,
        "quarantined": load.quarantined or 0,
        "rejected": load.rejected or 0,
        "reasons": {name: str(count) for name, count in {**load.quarantine_reasons, **load.rejected_reasons}.items()},
        "reason": reason,
    }
    with transaction.atomic():
        case = cases.open_case(
            kind=RETURN_KIND, title="", data=data, owner=load.owner, actor=actor, subject_type=RETURN_SUBJECT, subject_id=resource.code
        )
        _tell_source(case, ("退回数源核实", "Records returned to the source"), reason, actor)
    return case


def find_return(*, load_id: str) -> Case | None:
    """Return the open case about the set-aside records of a load."""
    record = LoadRecord.objects.filter(pk=load_id).first()
    found = _open_returns(record.resource_code) if record else ()
    return next((case for case in found if case.data["load_id"] == load_id), None)


def ask_to_check_returns(load: LoadRecord) -> None:
    """Have the open returns of a resource compared with a load; in the transaction that releases it."""
    if _open_returns(load.resource_code):
        actor = job_actor(RETURN_JOB)
        jobs.enqueue(name=RETURN_JOB, arguments={"load_id": load.id}, actor=actor, key=f"returns:{load.id}")


def tell_withdrawn(case: Case, reason: str, actor: Actor) -> None:
    """Tell the source that whoever returned its records took that back, and why."""
    after = replace(case, version=case.version + 1)  # effects are given the case before their step
    _tell_source(after, ("退回已撤回，不必再核实", "What was returned was taken back"), reason, actor)


def check_returns(*, load_id: str) -> dict[str, int]:
    """Tell every open return of a load's resource what the load says: the records are gone, or there again.

    Idempotent: a case that does not wait for it (any more) is skipped.
    """
    load = LoadRecord.objects.filter(pk=load_id).first()
    if load is None:
        raise Missing(what="load", name=load_id)
    counts = {"seen": 0, "changed": 0, "skipped": 0}
    for case in _open_returns(load.resource_code):
        counts["seen"] += 1
        try:
            counts["changed" if _report(case, load) else "skipped"] += 1
        except (ActionNotOffered, CaseSuspended):
            counts["skipped"] += 1
    return counts


def describe_return(case: Case, actor: Actor) -> SubjectView | None:
    """Return which records a case returned: why they were set aside, how many, and the way to them."""
    load = LoadRecord.objects.filter(pk=case.data.get("load_id")).first()
    if load is None:
        return None
    titles = {field.name: field.title for field in catalog.get_resource(code=load.resource_code).contract.fields}
    counted = sorted((case.data.get("reasons") or {}).items(), key=lambda pair: -int(pair[1]))
    lines = tuple(SubjectLine(_said(name, titles), "", f"{int(count):,}") for name, count in counted)
    title = {"zh": "退回的记录：原因和条数", "en": "What was returned: reasons and counts"}
    return SubjectView(title=title, lines=lines, links=_ways(load, actor))


def _ways(load: LoadRecord, actor: Actor) -> tuple[tuple[dict[str, str], str], ...]:
    """Return where the load, the findings and, for who mends them, the records are seen; the door of rows decides again."""
    ways = [({"zh": "查看装载", "en": "The load"}, reverse("lake:load", args=[load.id]))]
    ways.append(({"zh": "质量结果和不合格主键", "en": "Findings and failing keys"}, reverse("quality:findings", args=[load.resource_code])))
    if actor.may("quality.keys", organization=load.owner):
        rows = reverse("exchange:rows", args=[load.resource_code])
        if load.quarantine_file:
            ways.append(({"zh": "隔离的记录", "en": "Quarantined records"}, f"{rows}?source=quarantine&load={load.id}"))
        if load.rejected_file:
            ways.append(({"zh": "拒收的记录", "en": "Rejected records"}, f"{rows}?source=rejected&load={load.id}"))
    return tuple(ways)


def _said(name: str, titles: dict[str, str]) -> dict[str, str]:
    head, _sep, rest = name.partition(":")
    told = ROW_REASONS.get(head, {"zh": head, "en": head})
    where = titles.get(rest, rest)
    return {"zh": f"{told['zh']}：{where}" if where else told["zh"], "en": f"{told['en']}: {where}" if where else told["en"]}


def _open_returns(code: str) -> tuple[Case, ...]:
    """Return the returns of a resource that go on, suspended ones included."""
    wanted, actor = {"kind": RETURN_KIND, "subject_type": RETURN_SUBJECT, "subject_id": code}, job_actor("lake.returns")
    pages = (PageRequest(size=200, filters={**wanted, "state": state}) for state in ("open", "suspended"))
    return tuple(case for page in pages for case in cases.list_cases(request=page, actor=actor).items)


def _report(case: Case, load: LoadRecord) -> bool:
    """Tell one case; False where this load says nothing about it."""
    returned = LoadRecord.objects.filter(pk=case.data["load_id"]).first()
    if returned is None or returned.started_at >= load.started_at:
        return False
    actor = job_actor(RETURN_JOB)
    left = _count_left(returned, load)
    if left <= (case.data.get("allowed") or 0):
        cases.report_event(case_id=case.case_id, action="resolved", data={"left": left, "load": load.id}, actor=actor)
        return True
    if not _answered_before(case, load):
        return False
    with transaction.atomic():
        after = cases.report_event(case_id=case.case_id, action="persists", data={"left": left, "load": load.id}, actor=actor)
        _tell_source(after, ("下一次装载仍有退回的记录", "The next load still has the records"), f"仍有 {left} 条", actor, f"Still there: {left}")
        if (after.data.get("attempts") or 0) >= PATIENCE and after.supervised_at is None:
            _escalate(after, actor)
    return True


def _escalate(case: Case, actor: Actor) -> None:
    reason = f"退回的记录在 {case.data['attempts']} 次装载后仍未更正"
    try:
        cases.escalate(case_id=case.case_id, reason=reason, actor=actor)
    except CannotOperate:
        return  # somebody was quicker


def _answered_before(case: Case, load: LoadRecord) -> bool:
    """Tell whether the source said that it mended the records before this load read them."""
    found = cases.access_case(case_id=case.case_id, actor=job_actor(RETURN_JOB)).obligations
    return any(item.name == "verify" and item.state == "open" and item.opened_at <= load.started_at for item in found)


def _count_left(before: LoadRecord, after: LoadRecord) -> int:
    """Return how many of the returned records are set aside again: by key, or by reason once the records were swept."""
    rejected = min(before.rejected or 0, after.rejected or 0)
    if not before.quarantined or not after.quarantined:
        return rejected
    files = [Path(record.quarantine_file) for record in (before, after) if record.quarantine_file]
    if len(files) == 2 and all(file.is_file() for file in files):
        from yunhe.engine.set_aside import count_repeated  # heavy (duckdb)

        keys = catalog.get_resource(code=after.resource_code).contract.keys
        return rejected + count_repeated(*files, keys=tuple(keys), limits=places.limits())
    again = sum(min(count, after.quarantine_reasons.get(name, 0)) for name, count in before.quarantine_reasons.items())
    return rejected + again


def _tell_source(case: Case, said: tuple[str, str], text: str, actor: Actor, text_en: str = "") -> None:
    title = case.data["resource_title"]
    body = organizations.find_organization(code=case.owner)
    if body is None:
        return
    notices.send(
        to=[ToRole(case.owner, role) for role in STEWARDS],
        kind=RETURNED,
        title={"zh": f"{said[0]}：{title} {case.number}", "en": f"{said[1]}: {title} {case.number}"},
        text={"zh": text, "en": text_en or text},
        href=reverse("cases:case", args=[case.case_id]),
        key=f"{case.case_id}:{case.version}:{RETURNED}",
        case_id=case.case_id,
        actor=actor,
    )
