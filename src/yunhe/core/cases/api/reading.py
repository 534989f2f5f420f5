"""Reads of one case: its facts, its clock, its timeline, and the actions that are the actor's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from yunhe.core.cases.api import choices, holding, kinds, longer, rulebook, slots, store
from yunhe.core.cases.api.choices import BODY, organization_choices
from yunhe.core.cases.api.delegating import holders_of
from yunhe.core.cases.api.filling import read_files
from yunhe.core.cases.api.history import History, history_of
from yunhe.core.cases.api.marking import with_pauses
from yunhe.core.cases.api.offering import offered_operators
from yunhe.core.cases.api.ranking import ranked_members
from yunhe.core.cases.api.receipts import receipts_of
from yunhe.core.cases.api.seating import holder_of, require_distinct
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.models import (
    ANY_BUREAU,
    CaseRecord,
    ClockRecord,
    EventRecord,
    ObligationRecord,
)
from yunhe.core.cases.rules import clock, timing
from yunhe.core.cases.rules.course import CLOSED, OPEN, ROLE_JOIN, Course, Moment
from yunhe.core.cases.rules.lengths import WHOLE, Longer, told_of
from yunhe.core.cases.rules.outcomes import outcome_title
from yunhe.core.cases.rules.wording import OWN_EVENTS
from yunhe.core.cases.types import (
    ActionView,
    Case,
    CaseView,
    Due,
    Event,
    Fact,
    FieldSpec,
    KindSpec,
    Member,
    Obligation,
    RelatedCase,
)
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Terminal
from yunhe.kernel.ids import new_id
from yunhe.kernel.workdays import WorkdayCalendar

STYLES = ("primary", "normal", "danger")
MOST_RELATED = 200
TO_WHOM: Mapping[str, Mapping[str, str]] = {
    "reassign": {"zh": "指派给", "en": "Assigned to"}, "hand_on": {"zh": "转给", "en": "Handed to"},
    "add_reviewer": {"zh": "请谁出具意见", "en": "Whose opinion"},
}  # fmt: skip
JOB = "job:"
NOBODY = "—"
"""Stands for nobody in particular in what was noted of work that went back to its role."""
SEALED_TITLE = {"zh": "已答复（密封，全部答复后开启）", "en": "Answered (sealed until all have answered)"}


@dataclass(frozen=True)
class _Times:
    """What limits are told by: read once for all that a case owes."""

    calendar: WorkdayCalendar
    extended: tuple[Longer, ...]


def access_case(*, case_id: str, actor: Actor) -> CaseView:
    """Return a case as this actor may see it, with the actions that are theirs now.

    Raises: CaseNotFound, also when it is there but not for this actor.
    """
    row = CaseRecord.objects.select_related("kind").filter(pk=case_id).first()
    if row is None:
        raise CaseNotFound(name=case_id)
    require_visible(row, actor)
    spec = kinds.spec_of(row.kind)
    obligations, events = list(row.obligations.order_by("opened_at", "id")), list(row.events.order_by("seq"))
    names = {**organization_names(item.organization for item in obligations), **_person_names(obligations)}
    holders = holders_of(actor, row.kind_code)
    bodies = organization_choices() if choices.offers_bodies(spec) else {}
    case_clock = (row.clocks.filter(stopped_at=None) if row.state != CLOSED else row.clocks).order_by("started_at", "id").first()
    by_id = {item.pk: item for item in obligations}
    sealed = frozenset(item.pk for item in obligations if _is_sealed(item, spec, obligations) and item.closed_by != actor.id)
    events = list(row.events.order_by("seq"))
    inherited = longer.list_inherited(row, case_clock.pk) if case_clock and case_clock.extensions else ()
    extended = (*inherited, *longer.list_longer(events))
    times = _Times(kinds.calendar(), extended)
    (case,), vacant = with_pauses([case_of(row, spec)]), holding.find_vacant((item, spec) for item in obligations)
    history, tables = history_of(events, spec, names), _table_titles(events)
    return CaseView(
        case=case,
        facts=_facts(spec.fields, row.data),
        obligations=tuple(_obligation(item, history, names, vacant, sealed, times) for item in obligations),
        events=tuple(_event(item, history, by_id, sealed, extended, tables) for item in events),
        actions=offered_actions(row, spec, obligations, holders, bodies) if row.state == OPEN else (),
        due=_due(case_clock, times) if case_clock else None,
        subject=slots.describe_subject(case, actor),
        names=bodies,
        operators=offered_operators(row, spec, obligations, holders),
        related=_related(row, actor),
        members=members_of(row, spec) if spec.batch else None,
        members_by=_ranked_by(spec),
        may_list=bool(spec.batch) and row.state == OPEN and any(holder_of(item, holders) for item in obligations),
        files=read_files(case, spec, actor),
        receipts=receipts_of(row.pk, spec),
    )


def get_case(*, case_id: str) -> Case:
    """Return a case without asking anybody's rights: for rooms that checked their own. Raises: CaseNotFound."""
    row = CaseRecord.objects.select_related("kind").filter(pk=case_id).first()
    if row is None:
        raise CaseNotFound(name=case_id)
    return case_of(row, kinds.spec_of(row.kind))


def find_open_case(*, kind: str, subject_type: str, subject_id: str) -> Case | None:
    """Return the newest open case of the kind about a subject, if there is one."""
    rows = CaseRecord.objects.select_related("kind").filter(subject_type=subject_type, subject_id=subject_id)
    row = rows.filter(kind_code=kind).exclude(state="closed").order_by("-opened_at", "-id").first()
    return case_of(row, kinds.spec_of(row.kind)) if row else None


def require_visible(row: CaseRecord, actor: Actor) -> None:
    """Do nothing if the actor may see the case. Raises: CaseNotFound."""
    if CaseRecord.objects.visible_to(actor).filter(pk=row.pk).exists():
        return
    holders = holders_of(actor, row.kind_code)
    if not any(holder_of(item, holders) for item in row.obligations.filter(state=OPEN)):
        raise CaseNotFound(name=row.pk)


def members_of(row: CaseRecord, spec: KindSpec) -> tuple[Member, ...]:
    """Return the list of a batch, best first."""
    by, told = spec.batch.order_by.removeprefix("-") if spec.batch else "", []
    for rank, one in enumerate(ranked_members(row, spec), start=1):
        case = case_of(one, kinds.spec_of(one.kind))
        value = case.data.get(by) if by else None
        shown = "" if value is None else str(value)
        told.append(Member(rank, case.case_id, case.number, case.title, case.phase_title, case.state, case.outcome, shown))
    return tuple(told)


def _ranked_by(spec: KindSpec) -> Mapping[str, str] | None:
    """Return what the field is called that ranks the members of a batch."""
    if spec.batch is None or not spec.batch.order_by:
        return None
    fields = {field.name: field.title.as_mapping() for field in kinds.get_kind(code=spec.batch.kind).fields}
    return fields.get(spec.batch.order_by.removeprefix("-"))


def may_see(case_id: str, actor: Actor) -> bool:
    """Tell whether the case is there and the actor may see it, and so what is attached to it."""
    row = CaseRecord.objects.filter(pk=case_id).first()
    try:
        return row is not None and require_visible(row, actor) is None
    except CaseNotFound:
        return False


def case_of(row: CaseRecord, spec: KindSpec) -> Case:
    """Return the row as others see it."""
    return Case(
        case_id=row.pk,
        number=row.number,
        kind=row.kind_code,
        kind_title=spec.title.as_mapping(),
        phase=row.phase,
        phase_title=phase_title_of(row, spec),
        state=row.state,
        outcome=row.outcome,
        title=row.title,
        organization=row.organization,
        owner=row.owner,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        data=row.data,
        version=row.version,
        opened_by=row.opened_by,
        opened_by_name=row.opened_by_name,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        due_at=row.due_at,
        parent_id=row.parent_id or "",
        merged_into=row.merged_into_id or "",
        supervised_at=row.supervised_at,
        reminders=row.reminders,
        batch_id=row.batch_id or "",
        outcome_title=outcome_title(spec, row.outcome) if row.outcome else {},
        hidden=tuple(sorted(row.data.keys() - {field.name for field in spec.fields if field.shown})),
    )


def phase_title_of(row: CaseRecord, spec: KindSpec) -> Mapping[str, str]:
    """Return what the phase is called that the case is in."""
    return next((one.title.as_mapping() for one in spec.phases if one.code == row.phase), {"zh": row.phase, "en": row.phase})


def offered_actions(
    row: CaseRecord,
    spec: KindSpec,
    obligations: list[ObligationRecord],
    holders: tuple[Actor, ...],
    bodies: Mapping[str, str],
) -> tuple[ActionView, ...]:
    """Return the actions that the obligations offer to the first of the holders: the main one first, dangerous ones last.

    The order is the same on every database: PostgreSQL does not keep that of a kind's keys.
    """
    views = []
    for item in obligations:
        holder = holder_of(item, holders)
        if holder is None:
            continue
        actor = holders[0]
        actions = spec.obligation(item.name).actions
        for name, action in sorted(actions.items(), key=lambda pair: (STYLES.index(pair[1].style), pair[0])):
            if action.by_room:
                continue
            refusal = _refusal(row, spec, name, actor, item) or (_refusal(row, spec, name, holder, item) if holder is not actor else None)
            described = describe_action(row, spec, item, name, actor, bodies)
            views.append(replace(described, refusal=refusal, on_behalf_name="" if holder is actor else holder.name))
    return tuple(views)


def describe_action(
    row: CaseRecord, spec: KindSpec, item: ObligationRecord, name: str, actor: Actor, bodies: Mapping[str, str] | None = None
) -> ActionView:
    """Return an action of an obligation with its form, whoever's it is; `bodies` are read here if not given."""
    obligation = spec.obligation(item.name)
    action = obligation.actions[name]
    labels = choices.labels_for(action.fields, actor)
    if bodies is None:
        bodies = organization_choices() if any(f.format == BODY for _name, f in choices.each_field(action.fields)) else {}
    return ActionView(
        obligation_id=item.pk,
        obligation_title=obligation.title.as_mapping(),
        name=name,
        title=action.title.as_mapping(),
        style=action.style,
        fields=action.fields,
        defaults={f.name: row.data.get(f.default_from.removeprefix("data.")) for f in action.fields if f.default_from},
        options={name: options_of(f, row.data, labels.get(name, bodies)) for name, f in choices.each_field(action.fields) if _is_chosen(f)},
        labels=labels,
    )


def options_of(spec: FieldSpec, data: Mapping[str, Any], offered: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a field of a form can be chosen from in one case."""
    return tuple(data.get(spec.subset_of) or ()) if spec.subset_of else tuple(offered)


def _is_chosen(spec: FieldSpec) -> bool:
    return bool(spec.subset_of) or spec.format == BODY or spec.format in choices.OFFERS


def _refusal(row: CaseRecord, spec: KindSpec, action: str, actor: Actor, item: ObligationRecord) -> Mapping[str, str] | None:
    """Return why a guard, or an effect, that does not read the form holds the action back, before anyone fills one in."""
    offered = spec.obligation(item.name).actions[action]
    plain = offered.model_copy(update={"guards": tuple(g for g in offered.guards if "form_" not in g.when)})
    moment = Moment(actor, now(), row.version + 1, action, kinds.calendar, new_id, offered.fields, {})
    case = {name: getattr(row, name) for name in ("opened_by", "organization", "owner", "phase")}
    position: dict[str, dict[str, Any]] = {"case": case, "data": dict(row.data), "obligations": {}, "clocks": {}, "parties": {}}
    try:
        Course(spec, position, moment).check_guards(plain)
        require_distinct(item, row.pk, spec, actor)
        for effect in offered.effects:
            if effect.call and not effect.when and all(told.startswith("data.") for told in effect.arguments.values()):
                slots.check_effect(effect.call, {name: row.data.get(told.removeprefix("data.")) for name, told in effect.arguments.items()})
    except Terminal as refused:
        return refused.texts
    return None


def _facts(fields: tuple[FieldSpec, ...], values: Mapping[str, Any]) -> tuple[Fact, ...]:
    shown = ((f, values.get(f.name)) for f in fields if f.shown)
    held = (Fact(f.name, f.title.as_mapping(), f.type, value, choices.label_of(f, value), f.format) for f, value in shown)
    return tuple(fact for fact in held if fact.value not in (None, "", [], {}))


def _obligation(
    item: ObligationRecord,
    history: History,
    names: Mapping[str, str],
    vacant: Mapping[str, str],
    sealed: frozenset[str],
    times: _Times,
) -> Obligation:
    outcome = store.SEALED if item.pk in sealed and item.outcome else item.outcome
    return Obligation(
        obligation_id=item.pk,
        name=item.name,
        title=history.obligation(item).title.as_mapping(),
        state=item.state,
        outcome=outcome,
        outcome_title=SEALED_TITLE if outcome == store.SEALED else history.outcomes(item).get(item.outcome, {"zh": "", "en": ""}),
        organization=item.organization,
        organization_name=names.get(item.organization, item.organization),
        roles=tuple(filter(None, item.role.split(ROLE_JOIN))),
        person=item.person,
        assignee=item.assignee,
        assignee_name=names.get(item.assignee or item.person, ""),
        group=item.group,
        origin_id=item.origin_id or "",
        child_id=item.child_id or "",
        opened_at=item.opened_at,
        closed_at=item.closed_at,
        closed_by_name=item.closed_by_name,
        due=_due(item, times) if item.limit_amount is not None else None,
        superseded=item.superseded_seq is not None,
        vacant=vacant.get(item.pk) == holding.NOBODY,
        short=vacant.get(item.pk) == holding.SHORT,
        for_people=kinds.is_for_people(history.present, item.name),
        by_platform=item.closed_by.startswith(JOB),
    )


def _due(item: ObligationRecord | ClockRecord, times: _Times) -> Due:
    amount = timing.total_amount({"limit_amount": item.limit_amount or 0, "extensions": item.extensions})
    ended = item.stopped_at if isinstance(item, ClockRecord) else item.closed_at
    at = ended or now()
    days = clock.list_counted_days(
        started_at=item.started_at, amount=amount, unit=item.limit_unit, calendar=times.calendar,
        pauses=clock.read_pauses(item.pauses),
        stands=(clock.Pause(item.paused_at, at, item.pause_basis),) if item.paused_at else (),
    )  # fmt: skip
    return Due(
        at=item.due_at,
        started_at=item.started_at,
        amount=amount,
        unit=item.limit_unit,
        basis=item.limit_basis,
        estimated=item.estimated,
        light=clock.light_of(due_at=item.due_at, at=at, soon=clock.soon_until(at, times.calendar), paused=item.paused_at is not None),
        ended_at=ended,
        days=days,
        paused_at=item.paused_at,
        pause_basis=item.pause_basis,
        extensions=told_of(times.extended, item.pk, item.extensions),
        extend_most=item.extend_most,
        pauses=tuple(item.pauses),
    )


def _related(row: CaseRecord, actor: Actor) -> tuple[RelatedCase, ...]:
    """Return the cases beside this one that the actor may see, too."""
    visible = CaseRecord.objects.visible_to(actor).select_related("kind")
    wanted = (
        ("parent", visible.filter(pk=row.parent_id)),
        ("child", visible.filter(parent=row).order_by("opened_at", "id")),
        ("batch", visible.filter(pk=row.batch_id)),
        ("master", visible.filter(pk=row.merged_into_id)),
        ("merged", visible.filter(merged_into=row).order_by("opened_at", "id")),
    )
    found = []
    for relation, rows in wanted:
        for other in rows[:MOST_RELATED]:
            told = case_of(other, kinds.spec_of(other.kind))
            found.append(RelatedCase(relation, told.case_id, told.number, told.title, told.phase_title, told.state))
    return tuple(found)


def _person_names(obligations: Iterable[ObligationRecord]) -> dict[str, str]:
    return person_names(person for item in obligations for person in (item.assignee, item.person))


def person_names(persons: Iterable[str]) -> dict[str, str]:
    """Return what accounts (`user:…`) are called; who is none, or unknown, is left out. Cost: one query."""
    wanted = {int(person.removeprefix("user:")) for person in persons if person.startswith("user:")}
    return {f"user:{number}": name for number, name in sorted(organizations.find_names(user_ids=wanted).items())}


def _event(
    item: EventRecord, history: History, obligations: Mapping[str, ObligationRecord], sealed: frozenset[str], extended: tuple[Longer, ...],
    tables: Mapping[str, Mapping[str, str]],
) -> Event:  # fmt: skip
    ended, spec = obligations.get(item.obligation_id), history.step(item.seq)
    name = history.names.get(item.seq) or (ended.name if ended else None)
    declared = spec.obligation(name) if name else None
    action = declared.actions.get(item.action) if declared else None
    title = action.title.as_mapping() if action else OWN_EVENTS.get(item.action, {"zh": item.action, "en": item.action})
    fields = action.fields if action else ()
    own = () if action else longer.facts_of(extended, item.seq, spec) or _own_facts(item, spec)
    told = (*(_facts(fields, item.values) if action else own), *history.facts.get(item.seq, ()), *_warned(item, history, obligations), *_decided(item, tables))
    if hidden := action is not None and item.obligation_id in sealed:
        title, told = SEALED_TITLE, ()
    return Event(
        event_id=item.pk,
        seq=item.seq,
        at=item.at,
        action=store.SEALED if hidden else item.action,
        title=title,
        actor_id=item.actor_id,
        actor_name=item.actor_name,
        organization_name=item.actor_organization_name,
        on_behalf=item.on_behalf,
        facts=told,
        digest=item.digest,
        evidence_id=item.evidence_id,
        superseded=bool(action and ended and ended.superseded_seq is not None and ended.closed_seq == item.seq),
    )


def _is_sealed(item: ObligationRecord, spec: KindSpec, obligations: Iterable[ObligationRecord]) -> bool:
    """Tell whether it is of a group whose answers are sealed while one of it is open."""
    group = spec.groups.get(item.group)
    return bool(group and group.sealed and any(one.group == item.group and one.state == OPEN for one in obligations))


def _warned(item: EventRecord, history: History, obligations: Mapping[str, ObligationRecord]) -> tuple[Fact, ...]:
    """Return of a warning whose time it is of, and how much of that was gone; several alike once."""
    spec = history.step(item.seq)
    rungs, told = sorted(rung.percent for rung in spec.ladder), dict[tuple[str, int], Fact]()
    for part in ("obligations", "clocks") if item.action == "warn" else ():
        for key, row in item.diff.get(part, {}).items():
            rung = row.get("warned") or 0
            of = obligations.get(key)
            declared = (spec.obligations.get(of.name) or history.obligation(of)) if of else None  # by its name of then, or of since
            if 0 < rung <= len(rungs):
                title = declared.title.as_mapping() if declared else WHOLE
                zh, en = f"时间用去 {rungs[rung - 1]}%", f"{rungs[rung - 1]}% of the time is gone"
                told[title["zh"], rung] = Fact("warned", title, "text", rungs[rung - 1], {"zh": zh, "en": en})
    return tuple(told.values())


def _table_titles(events: Iterable[EventRecord]) -> Mapping[str, Mapping[str, str]]:
    """Return what decision tables are called, by code, where a step asked one. Cost: one query then."""
    return {info.code: info.title for info in rulebook.list_tables()} if any(event.values.get(store.DECISIONS) for event in events) else {}


def _decided(item: EventRecord, tables: Mapping[str, Mapping[str, str]]) -> tuple[Fact, ...]:
    """Return which rows of which table decided in this step, with their basis."""
    told = []
    for one in item.values.get(store.DECISIONS, ()):
        called = tables.get(one["table"], {"zh": one["table"], "en": one["table"]})
        title = {"zh": f"决策表“{called['zh']}”", "en": f"Decision table “{called['en']}”"}
        zh = "；".join(f"第 {row['row']} 行 {row['basis']}".strip() for row in one["rows"]) or "取默认结果"
        en = "; ".join(f"row {row['row']} {row['basis']}".strip() for row in one["rows"]) or "the default"
        told.append(Fact("table", title, "text", [row["row"] for row in one["rows"]], {"zh": zh, "en": en}))
    return tuple(told)


def _own_facts(item: EventRecord, spec: KindSpec) -> tuple[Fact, ...]:
    if item.action == "open":
        return ()  # the fields of the case say it
    titles: dict[str, Mapping[str, str]] = {
        "to": TO_WHOM.get(item.action, {"zh": "给", "en": "To"}), "number": {"zh": "办件", "en": "Case"},
        "phase": {"zh": "退回到", "en": "To"}, "signing": {"zh": "需要意见", "en": "Opinions needed"},
        "limits": {"zh": "时限", "en": "Limits"}, "amount": {"zh": "延长", "en": "By"},
        "basis": {"zh": "依据", "en": "Basis"}, "reason": {"zh": "理由", "en": "Reason"},
        "earlier_title": {"zh": "原名", "en": "Earlier title"}, "title": {"zh": "现名", "en": "Title now"},
    }  # fmt: skip
    said = {
        ("signing", "any"): {"zh": "任何一人的即可（或签）", "en": "anybody's is enough"},
        ("limits", "recount"): {"zh": "按新时限重新计算", "en": "counted anew by the new limits"},
        ("limits", "restore"): {"zh": "恢复变更前的时限", "en": "put back to those before the change"},
        **{("phase", phase.code): phase.title.as_mapping() for phase in spec.phases},
    }
    told = ((name, item.values[name]) for name in titles if item.values.get(name) not in ("", None, NOBODY, []))
    return tuple(Fact(name, titles[name], "text", value, said.get((name, str(value)))) for name, value in told)


def organization_names(codes: Iterable[str]) -> dict[str, str]:
    """Return the names that lists show, by code; a code that nobody knows stands for itself."""
    wanted = {code for code in codes if code and code != ANY_BUREAU}
    found = organizations.find_organizations(codes=wanted) if wanted else {}
    return {**{code: body.label for code, body in found.items()}, ANY_BUREAU: holding.BUREAU_TITLE["zh"]}
