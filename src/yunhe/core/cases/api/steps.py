"""One transition of one case: begin it, let something happen, write it all; sub-cases begin and end with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from yunhe.core.cases.api import filling, folding, holding, kinds, rulebook, slots, store, telling
from yunhe.core.cases.api.ranking import ranked_members
from yunhe.core.cases.api.reading import case_of, organization_names
from yunhe.core.cases.errors import BadKind, CaseNotFound, CaseSuspended, StuckCase
from yunhe.core.cases.models import ANY_BUREAU, CaseRecord, KindRecord, ObligationRecord
from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.books import GroupCount, Others
from yunhe.core.cases.rules.course import BATCH, CANCELLED, CLOSED, DONE, OPEN, SUSPENDED, Course, Moment
from yunhe.core.cases.rules.fields import checked, typed_scalars
from yunhe.core.cases.rules.going_back import undo
from yunhe.core.cases.rules.guards import holds
from yunhe.core.cases.rules.kinds import RANK, member_fields
from yunhe.core.cases.rules.position import Position, empty_position, replay
from yunhe.core.cases.rules.wording import kind_named, step_named
from yunhe.core.cases.types import Case, EffectContext, FieldSpec, KindSpec, MembersSpec
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.ids import new_id

UNANSWERED = ("withdraw", "cancel", "split")
"""By what a case ends without an answer to those whose duplicates went into it."""
MOST_GENERATIONS = 5


def read_case(case_id: str) -> tuple[CaseRecord, KindSpec]:
    """Return the row and its kind. Raises: CaseNotFound."""
    for row, (digest, runs) in store.CASES.records_beside((store.KIND_DIGEST, store.RUNS_CLOCK), "id = %s", case_id):
        row.kind, row.runs_clock = kinds.version(row.kind_id, row.kind_code, digest), bool(runs)
        return row, kinds.spec_of(row.kind)
    raise CaseNotFound(name=case_id)


def require_open(row: CaseRecord) -> None:
    """Do nothing if the case goes on. Raises: CaseSuspended."""
    if row.state == SUSPENDED:
        clock = row.clocks.exclude(paused_at=None).first() or row.obligations.exclude(paused_at=None).first()
        raise CaseSuspended(number=row.number, basis=clock.pause_basis if clock else "—")


def begin(
    row: CaseRecord,
    spec: KindSpec,
    action: str,
    actor: Actor,
    *,
    form: tuple[FieldSpec, ...] = (),
    values: Mapping[str, Any] | None = None,
    whole: bool = True,
    position: Position | None = None,
    others: Others | None = None,
) -> Course:
    """Return a transition of the case from where it stands; the cases above it are locked first, the topmost before all."""
    for above in _cases_above(row):
        CaseRecord.objects.select_for_update().filter(pk=above).values_list("pk").first()
    moment = moment_of(actor, row.version + 1, action, form, values)
    position = position or position_of(row, spec, whole=whole)

    def count(name: str) -> GroupCount:
        return store.count_group(row.pk, name, with_scores=bool(spec.groups[name].score))

    return Course(spec, position, moment, groups=count, others=others)


def _cases_above(row: CaseRecord) -> list[str]:
    above: list[str] = []
    while row.parent is not None:
        row = row.parent
        above.insert(0, row.pk)
    return above


def position_of(row: CaseRecord, spec: KindSpec, *, whole: bool = True) -> Position:
    """Return where the case stands, as much of it as a transition of its kind needs."""
    return store.read_position(row, with_clocks=_has_clock(row, spec), whole=whole or kinds.pauses_clocks(row.kind))


def near(row: CaseRecord, spec: KindSpec, actor: Actor) -> tuple[Position, Others | None]:
    """Return where the case stands as far as a step of this actor asks, and the open obligations that were left out."""
    return store.read_near(row, actor, with_clocks=_has_clock(row, spec), whole=kinds.pauses_clocks(row.kind))


def _has_clock(row: CaseRecord, spec: KindSpec) -> bool:
    """Tell whether a clock of the whole is to be read: one of the kind, or one that runs on from an earlier version of it."""
    return bool(spec.limits) or row.runs_clock


def begin_new(kind_row: KindRecord, actor: Actor, values: Mapping[str, Any]) -> Course:
    """Return the opening transition of a case that is not there yet."""
    spec = kinds.spec_of(kind_row)
    return Course(spec, empty_position(), moment_of(actor, 1, "open", spec.fields, values))


def moment_of(
    actor: Actor, seq: int, action: str, form: tuple[FieldSpec, ...] = (), values: Mapping[str, Any] | None = None
) -> Moment:
    """Return the surroundings of a step that is taken now."""
    return Moment(actor, now(), seq, action, cache(kinds.calendar), new_id, form, values or {}, rulebook.BOOK)


def open_new(
    kind_row: KindRecord,
    course: Course,
    given: Mapping[str, str],
    *,
    parent: CaseRecord | None = None,
    clocks: Iterable[Mapping[str, Any]] | None = None,
    request_key: str = "",
) -> CaseRecord:
    """Run the start of a kind and write the case; `clocks` run on instead of its own.

    Raises: StuckCase, BadKind, and what the effects raise.
    """
    spec, moment = course.kind, course.moment
    number = store.next_number(spec.prefix, local(moment.at).date())
    first = _first_row(spec, course, {**given, "number": number, "parent_id": parent.pk if parent else None})
    course.change("case", first)
    parties = [{"part": "opener", "organization": first["opened_for"], "person": first["opened_by"]}]
    for part in ("organization", "owner"):
        if given[part]:
            name = {"organization": "applicant", "owner": "owner"}[part]
            parties.append({"part": name, "organization": given[part], "person": ""})
    course.change("parties", {store.party_key(party): party for party in parties})
    course.change("data", {**{f.name: None for f in spec.fields}, **moment.values})
    if clocks is None:
        course.start_case_clock()
    for clock in clocks or ():
        course.change("clocks", {moment.new_id(): clock})
    course.run(spec.start)
    _settle(course)
    applicant, actor = given["organization"], moment.actor
    named = {actor.organization: actor.organization_name} if applicant == actor.organization else organization_names([applicant])
    row = store.insert_case(kind_row.pk, course, request_key, named.get(applicant, ""))
    row.parent = parent
    if parent is not None:
        filling.share_files(spec, row.data, holder_id=parent.pk, case_id=row.pk, actor=actor)
    _finish(row, course, kind_row, case_of(row, spec) if course.calls else None)
    return row


def finish(
    row: CaseRecord, course: Course, *, obligation_id: str = "", on_behalf: str = "", waived: bool = False
) -> Case:
    """Do move the case on: its row first, so that only one of two wins, then everything else.

    Raises: CaseChanged, StuckCase, BadKind, and what the effects raise.
    """
    _settle(course)
    before = case_of(row, course.kind) if course.calls else None
    store.write_case(row, course)
    _finish(row, course, row.kind, before, obligation_id=obligation_id, on_behalf=on_behalf, waived=waived)
    return case_of(row, course.kind)


def open_part(whole: CaseRecord, spec: KindSpec, title: str, data: Mapping[str, Any], splitting: Course) -> Case:
    """Open a case of the same kind and version from the start, as a part of another whose clock runs on in it.

    It is the case of who opened the whole: what they may not decide, and what comes back to them, stays so.
    """
    names = ("organization", "owner", "region", "subject_type", "subject_id", "opened_by", "opened_by_name", "opened_for")
    given = {"id": new_id(), "title": title, **{name: getattr(whole, name) for name in names}}
    moment, running = splitting.moment, [one for one in splitting.position["clocks"].values() if one["stopped_at"] is None]
    clocks = [{**one, **timing.resume(one, at=moment.at, calendar=moment.calendar)} for one in running]
    row = open_new(whole.kind, begin_new(whole.kind, moment.actor, data), given, parent=whole, clocks=clocks)
    return case_of(row, spec)


def _settle(course: Course) -> None:
    course.settle_groups()
    course.settle()
    if course.is_stuck():
        number, action = course.position["case"]["number"], course.moment.action
        named = {**step_named(course.kind, action), **kind_named(course.kind)}
        raise StuckCase(number=number, action=action, kind_code=course.kind.code, titles=named)
    holding.give_to_office(course)
    holding.require_holders(course)


def _first_row(spec: KindSpec, course: Course, given: Mapping[str, Any]) -> dict[str, Any]:
    moment = course.moment
    return {
        "kind_code": spec.code, "phase": spec.phases[0].code, "state": OPEN, "outcome": "",
        "opened_by": moment.actor.id, "opened_by_name": moment.actor.name,
        "opened_for": moment.actor.organization, "opened_at": moment.at.isoformat(),
        "closed_at": None, "due_at": None, "estimated": False, "supervised_at": None, "reminders": 0,
        "merged_into_id": None, "batch_id": None, "region": "", "subject_type": "", "subject_id": "", **given,
    }  # fmt: skip


def _finish(
    row: CaseRecord,
    course: Course,
    kind_row: KindRecord,
    before: Case | None,
    *,
    obligation_id: str = "",
    on_behalf: str = "",
    waived: bool = False,
) -> None:
    """Write the other rows, call the effects, open and end sub-cases, write the event and its evidence."""
    moment = course.moment
    for call in course.calls:
        assert before is not None  # whoever calls effects says how the case stood
        context = EffectContext(before, moment.actor, moment.values, moment.at, moment.action, waived)
        _take_result(row, course, call.code, slots.call_effect(call.code, context, call.arguments))
    for child in course.children:
        if course.position["obligations"][child.obligation_id]["state"] == OPEN:
            opened = _open_child(row, child.kind, child.title, child.owner, child.data, moment)
            course.change("obligations", {child.obligation_id: {"child_id": opened.pk}})
    take_part(row, course)
    store.write_course(row.pk, course)
    store.write_event(row.pk, course, kind_digest=kind_row.digest, obligation_id=obligation_id, on_behalf=on_behalf)
    telling.tell(row, course)
    for key, changes in course.difference.get("obligations", {}).items():
        child_id = course.before["obligations"].get(key, {}).get("child_id")
        if child_id and changes.get("state") == CANCELLED:
            cancel_child(child_id, moment.actor)
    for specs in course.for_members:
        _act_on_members(row, course, specs)
    if row.state == CLOSED and course.kind.batch:
        for member in row.members.select_related("kind").exclude(state=CLOSED).filter(obligations__person=BATCH, obligations__state=OPEN):
            set_batch(member, None, row.number, moment.actor)
    if row.state == CLOSED and moment.action in UNANSWERED:
        for double in CaseRecord.objects.filter(merged_into=row).order_by("pk"):
            _set_free(double.pk, row.number)
    if row.state == CLOSED and not row.merged_into_id:
        _tell_waiting(row, row, course)


def take_part(row: CaseRecord, course: Course) -> None:
    """Make every organisation that owes something now a party, so that its people find the case."""
    fresh = course.difference.get("obligations", {})
    owing = {one["organization"] for one in fresh.values() if one.get("organization") and not one.get("person")}
    owing -= {row.organization, row.owner, ANY_BUREAU}
    if owing:
        marks = ", ".join(["%s"] * len(owing))
        rows = store.PARTIES.plain(("organization",), store.BY_BODY.format(marks=marks), row.pk, *owing)
        known = {party["organization"] for party in rows}
        parties = [{"part": "handler", "organization": code, "person": ""} for code in sorted(owing - known)]
        course.change("parties", {store.party_key(party): party for party in parties})


def _open_child(
    parent: CaseRecord, kind: str, title: str, owner: str, data: Mapping[str, Any], moment: Moment
) -> CaseRecord:
    generation, above = 1, parent
    while above.parent is not None:
        generation, above = generation + 1, above.parent
    if generation > MOST_GENERATIONS:
        problem, problem_en = f"子办件超过 {MOST_GENERATIONS} 层", f"more than {MOST_GENERATIONS} generations of sub-cases"
        raise BadKind(name=kind, where="child", problem=problem, problem_en=problem_en)
    kind_row = kinds.current_kind(kind)
    form = tuple(f for f in kinds.spec_of(kind_row).fields if not f.internal)
    values = checked(form, data, around=filling.opening_surroundings(kinds.spec_of(kind_row), moment.actor))
    owner = owner.strip("*")
    body = organizations.find_organization(code=owner or parent.organization)
    given = {
        "id": new_id(), "title": title[:300], "organization": parent.organization, "owner": owner,
        "region": body.region if body else "", "subject_type": parent.subject_type, "subject_id": parent.subject_id,
    }  # fmt: skip
    return open_new(kind_row, begin_new(kind_row, moment.actor, values), given, parent=parent)


def cancel_child(case_id: str, actor: Actor) -> None:
    """End a sub-case that nothing waits for any more; one that ended stays as it is."""
    row, spec = read_case(case_id)
    if row.state == CLOSED:
        return
    course = begin(row, spec, "cancel", actor)
    course.close_case("cancelled")
    store.write_case(row, course)
    _finish(row, course, row.kind, case_of(row, spec))


def _set_free(case_id: str, number: str) -> None:
    """Let a duplicate go on as it stood when it went into the case of that number, which ended without an answer.

    Its limits were never paused; a sub-case that ended with the merge is opened anew. A sub-case that nothing waits for
    stays closed.
    """
    row, spec = read_case(case_id)
    if row.parent_id and not ObligationRecord.objects.filter(child=case_id, state=OPEN).exists():
        return
    events = list(row.events.order_by("seq"))
    at = max(place for place, event in enumerate(events) if event.action == "merge")
    diff, earlier = events[at].diff, replay(folding.differences(events[:at]))
    position = store.read_position(row, everything=True)
    course = begin(row, spec, "unmerge", job_actor("cases.unmerge"), values={"number": number}, position=position)
    undo(course, diff, earlier)
    for key in diff.get("obligations", {}):
        if earlier["obligations"][key]["child_id"]:
            course.close_obligation(key, "", CANCELLED)
            course.reopen_like(earlier["obligations"][key])
    finish(row, course)


def _tell_waiting(case: CaseRecord, ended: CaseRecord, course: Course) -> None:
    """End what waits for a case that ended, or for a duplicate that it stands for, and tell who opened the duplicates."""
    if case.parent_id:
        _tell_parent(case, ended, course.moment.actor)
    for double in CaseRecord.objects.filter(merged_into=case).order_by("pk"):
        telling.tell_of_end(double, course)
        _tell_waiting(double, ended, course)


def _tell_parent(child: CaseRecord, ended: CaseRecord, actor: Actor) -> None:
    """End the obligation that waits for this sub-case, with the outcome and the results of what ended for it."""
    row, spec = read_case(str(child.parent_id))
    waiting = row.obligations.filter(child_id=child.pk, state=OPEN).first()
    if waiting is None or row.state == CLOSED:
        return
    course = begin(row, spec, "child_closed", actor)
    course.close_obligation(waiting.pk, ended.outcome, DONE)
    declared = spec.obligation(waiting.name).child
    if declared and declared.results:
        course.change("data", {field: ended.data.get(source) for field, source in declared.results.items()})
    finish(row, course, obligation_id=waiting.pk)


def set_batch(member: CaseRecord, batch: CaseRecord | None, number: str, actor: Actor) -> None:
    """Put a case on the list of a batch, or take it off; an event of its own."""
    course = begin(member, kinds.spec_of(member.kind), "join_batch" if batch else "leave_batch", actor, values={"number": number})
    course.change("case", {"batch_id": batch.pk if batch else None})
    finish(member, course)


def _act_on_members(row: CaseRecord, course: Course, specs: tuple[MembersSpec, ...]) -> None:
    """End what the open members wait for: by rank, each by the first spec whose condition holds."""
    own = typed_scalars(course.kind.fields, course.position["data"], "batch_")
    for rank, member in enumerate(ranked_members(row, course.kind), start=1):
        waiting = member.obligations.filter(person=BATCH, state=OPEN).first()
        if member.state != OPEN or waiting is None:
            continue
        spec = kinds.spec_of(member.kind)
        fields, values = member_fields(course.kind, spec), typed_scalars(spec.fields, member.data)
        chosen = next((one for one in specs if holds(one.when, fields, {**values, **own, "member_rank": rank})), None)
        if chosen is None:
            continue
        action = spec.obligation(waiting.name).actions[chosen.action]
        told = {name: rank if source == RANK else course.refer(source) for name, source in chosen.form.items()}
        form = checked(action.fields, told, member.data)
        step = begin(member, spec, chosen.action, course.moment.actor, form=action.fields, values=form)
        step.check_guards(action)
        step.take(waiting.pk, action)
        finish(member, step, obligation_id=waiting.pk, on_behalf=f"{BATCH} {row.number}")


def _take_result(row: CaseRecord, course: Course, code: str, result: Mapping[str, Any]) -> None:
    known = {field.name for field in course.kind.fields}
    if not result.keys() <= known:
        extra = ", ".join(sorted(result.keys() - known))
        raise BadKind(name=course.kind.code, where=code, problem=f"没有字段 {extra}", problem_en=f"no field {extra}")
    if result:
        course.change("data", result)
        store.write_result(row, course)
