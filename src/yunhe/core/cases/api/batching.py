"""Batches (批量办件): a case that owns a list of other cases, ranks them and decides for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from yunhe.core.cases.api import kinds, steps
from yunhe.core.cases.api.acting import choose_seat, remember, require_version
from yunhe.core.cases.api.reading import case_of, members_of, require_visible
from yunhe.core.cases.errors import MembersRefused
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules.course import BATCH, CLOSED, OPEN
from yunhe.core.cases.types import Case, KindSpec, Member
from yunhe.kernel.actor import Actor


def add_members(*, case_id: str, numbers: Iterable[str], actor: Actor, expected_version: int | None = None) -> Case:
    """Put cases on the list of a batch that is the actor's turn; they must wait for one and be visible to the actor.

    Raises: MembersRefused with the first that cannot, CaseNotFound, ActionNotOffered, CaseChanged.
    """
    return _change(case_id, numbers, actor, expected_version, joins=True)


def drop_members(*, case_id: str, numbers: Iterable[str], actor: Actor, expected_version: int | None = None) -> Case:
    """Take cases off the list again. Raises: as `add_members`."""
    return _change(case_id, numbers, actor, expected_version, joins=False)


def list_members(*, case_id: str, actor: Actor) -> tuple[Member, ...]:
    """Return the list of a batch that the actor may see, best first. Raises: CaseNotFound."""
    row, spec = steps.read_case(case_id)
    require_visible(row, actor)
    return members_of(row, spec)


def list_candidates(*, case_id: str, actor: Actor) -> tuple[Case, ...]:
    """Return the cases that the actor could put on the list, oldest first, at most as many as the batch holds."""
    row, spec = steps.read_case(case_id)
    require_visible(row, actor)
    if spec.batch is None or row.state != OPEN:
        return ()
    free = Q(batch=None) | Q(batch__state=CLOSED)
    waiting = CaseRecord.objects.visible_to(actor).filter(
        free, kind_code=spec.batch.kind, state=OPEN, obligations__person=BATCH, obligations__state=OPEN
    )
    found = waiting.select_related("kind").distinct().order_by("opened_at", "id")[: spec.batch.most]
    return tuple(case_of(one, kinds.spec_of(one.kind)) for one in found)


def _change(case_id: str, numbers: Iterable[str], actor: Actor, expected: int | None, *, joins: bool) -> Case:
    wanted = list(dict.fromkeys(number.strip().upper() for number in numbers if number.strip()))
    with transaction.atomic():
        row, spec = steps.read_case(case_id)
        require_visible(row, actor)
        require_version(row, expected)
        steps.require_open(row)
        choose_seat(row, spec, actor, action="")
        visible = CaseRecord.objects.visible_to(actor).select_related("kind").filter(number__in=wanted)
        found = {one.number: one for one in visible}
        if spec.batch is None or not wanted:
            _refuse(row, "没有可以改的清单或没有写办件编号", "there is no list to change, or no number was given", "")
        elif joins and row.members.filter(state=OPEN).count() + len(wanted) > spec.batch.most:
            _refuse(row, f"最多 {spec.batch.most} 件", f"at most {spec.batch.most} cases", str(len(wanted)))
        for number in wanted:
            _move(row, spec, found.get(number), number, actor, joins=joins)
        name = "take_members" if joins else "drop_members"
        course = steps.begin(row, spec, name, actor, values={"number": list(wanted)})
        remember(row, course)
        return steps.finish(row, course)


def _move(row: CaseRecord, spec: KindSpec, member: CaseRecord | None, number: str, actor: Actor, *, joins: bool) -> None:
    assert spec.batch is not None
    if member is None or member.kind_code != spec.batch.kind:
        _refuse(row, "没有这个编号的可列入办件，或您无权查看", "no such case of the kind, or you may not see it", number)
    elif joins and (_is_listed(member) or not member.obligations.filter(person=BATCH, state=OPEN).exists()):
        _refuse(row, "它没有在等候列入，或已在别的清单里", "it does not wait for a batch, or is on another list", number)
    elif not joins and member.batch_id != row.pk:
        _refuse(row, "它不在这个清单里", "it is not on this list", number)
    else:
        steps.set_batch(member, row if joins else None, row.number, actor)


def _is_listed(member: CaseRecord) -> bool:
    """Tell whether the case is on a list that is not settled yet."""
    return member.batch is not None and member.batch.state != CLOSED


def _refuse(row: CaseRecord, problem: str, problem_en: str, which: str) -> None:
    raise MembersRefused(number=row.number, problem=problem, problem_en=problem_en, which=which or "—")
