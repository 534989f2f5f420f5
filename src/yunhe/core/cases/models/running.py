"""The tables of cases: kinds, cases, parties, obligations, clocks, events, numbers, the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from yunhe.core.cases.models.texts import WrittenJSONField
from yunhe.kernel.actor import ALL, Actor, Right

ANY_BUREAU = "*"


class KindRecord(models.Model):
    """One version of a kind (办件类型); immutable, named by the digest of its text."""

    code = models.CharField(max_length=63)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    body = WrittenJSONField()
    source = models.CharField(max_length=120)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=120)

    class Meta:
        db_table = "cases_kind"
        ordering: ClassVar = ["code", "-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "number"], name="cases_kind_number")]
        indexes: ClassVar = [models.Index(fields=["digest"], name="cases_kind_digest")]


class CalendarDayRecord(models.Model):
    """A day that differs from the plain weekend rule, with the notice that says so."""

    on = models.DateField(primary_key=True)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=60)
    basis = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=120)
    loaded_at = models.DateTimeField()

    class Meta:
        db_table = "cases_calendar_day"
        ordering: ClassVar = ["on"]
        indexes: ClassVar = [models.Index(fields=["loaded_at"], name="cases_calendar_loaded")]


class TableRecord(models.Model):
    """One version of a decision table (决策表); immutable. A decision names the digest of the version that made it."""

    code = models.CharField(max_length=63)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    declaration = WrittenJSONField()
    rules = models.TextField()
    source = models.CharField(max_length=120)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=120)

    class Meta:
        db_table = "cases_table"
        ordering: ClassVar = ["code", "-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "number"], name="cases_table_number")]


class LimitRecord(models.Model):
    """One dated limit (时限) with the rule it rests on; half-open: the first day it no longer holds is `valid_until`."""

    code = models.CharField(max_length=80)
    title = models.CharField(max_length=200, blank=True)
    amount = models.PositiveIntegerField()
    unit = models.CharField(max_length=10)
    basis = models.CharField(max_length=500)
    extend_most = models.PositiveIntegerField(null=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    source = models.CharField(max_length=120)
    loaded_at = models.DateTimeField()

    class Meta:
        db_table = "cases_limit"
        ordering: ClassVar = ["code", "valid_from"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "valid_from"], name="cases_limit_from")]


class NumberSeries(models.Model):
    """The last case number of one prefix and day; only ever counted up."""

    prefix = models.CharField(max_length=6)
    on = models.DateField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "cases_number_series"
        constraints: ClassVar = [models.UniqueConstraint(fields=["prefix", "on"], name="cases_series_once")]


def seen_places(actor: Actor) -> tuple[Right, ...]:
    """Return where the actor may see cases, each place once; one without any limit stands alone."""
    held = [right for right in actor.rights if right.permission in ("cases.view", ALL)]
    somewhere = [right for right in held if right.organizations and right.regions and right.kinds]
    whole = [right for right in somewhere if is_whole(right)]
    return tuple({(right.organizations, right.regions, right.kinds): right for right in whole[:1] or somewhere}.values())


def is_whole(right: Right) -> bool:
    """Tell whether a right has no limit of place or kind."""
    return ALL in right.organizations and ALL in right.regions and ALL in right.kinds


class CaseQuerySet(models.QuerySet["CaseRecord"]):
    """The only ways into the table of cases for a list."""

    def visible_to(self, actor: Actor, *, states: tuple[str, ...] = ()) -> CaseQuerySet:
        """Cases that a right `cases.view` covers, or that the actor took part in for this organisation.

        `states`: those in one of these states only, found by the parties of such cases.
        """
        rows, parties = self.all(), PartyRecord.objects.all()
        if states:
            rows, parties = rows.filter(state__in=states), parties.filter(state__in=states)
        allowed = _has_party(parties, Q(person=actor.id, organization=actor.organization), at_once=bool(states))
        for right in seen_places(actor):
            within = Q()
            if ALL not in right.kinds:
                within &= Q(kind_code__in=right.kinds)
            if ALL not in right.regions:
                within &= Q(region__in=right.regions)
            if ALL not in right.organizations:
                within &= _has_party(parties, Q(organization__in=right.organizations), at_once=bool(states))
            if not within:
                return rows
            allowed |= within
        return rows.filter(allowed)


def _has_party(parties: models.QuerySet[PartyRecord], which: Q, *, at_once: bool) -> Q:
    """Return that a case has such a party: asked of each case, or, where they are few, of all at once."""
    return Q(pk__in=parties.filter(which).values("case_id")) if at_once else Q(Exists(parties.filter(which, case=OuterRef("pk"))))


class CaseRecord(models.Model):
    """One case (办件). `version` rises by one with each event. `opened_for`: the organisation for which its opener acted."""

    id = models.CharField(primary_key=True, max_length=26)
    number = models.CharField(max_length=40, unique=True)
    kind = models.ForeignKey(KindRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind_code = models.CharField(max_length=63)
    phase = models.CharField(max_length=63)
    state = models.CharField(max_length=12)
    outcome = models.CharField(max_length=63, blank=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="members", db_index=False)
    organization = models.CharField(max_length=40)
    owner = models.CharField(max_length=40, blank=True)
    region = models.CharField(max_length=12, blank=True)
    subject_type = models.CharField(max_length=63, blank=True)
    subject_id = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=300)
    search = models.TextField()
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField()
    request_key = models.CharField(max_length=120, blank=True)
    opened_by = models.CharField(max_length=120)
    opened_by_name = models.CharField(max_length=200)
    opened_for = models.CharField(max_length=40, blank=True, default="", db_default="")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    estimated = models.BooleanField(default=False)
    supervised_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)

    runs_clock = True
    """Whether a clock of the whole may run; false only where it was read that none does."""

    objects: ClassVar = CaseQuerySet.as_manager()

    class Meta:
        db_table = "cases_case"
        ordering: ClassVar = ["-opened_at", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["request_key"], condition=~Q(request_key=""), name="cases_case_request")]
        indexes: ClassVar = [
            models.Index(fields=["-opened_at", "-id"], name="cases_case_newest"),
            models.Index(fields=["kind_code", "state", "-opened_at", "-id"], name="cases_case_kind"),
            models.Index(fields=["kind", "phase", "state"], name="cases_case_position"),
            models.Index(fields=["organization", "state", "-opened_at"], name="cases_case_applicant"),
            models.Index(fields=["owner", "state", "-opened_at"], name="cases_case_owner"),
            models.Index(fields=["subject_type", "subject_id"], name="cases_case_subject"),
            models.Index(fields=["state", "due_at"], name="cases_case_due"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="cases_case_parent"),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="cases_case_merged"),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="cases_case_batch"),
        ]


class PartyRecord(models.Model):
    """Who has a part in a case and may therefore see it: an organisation, or a person for one.

    Kind, state and opening time are the case's own, repeated so that lists are counted by `cases_party_seen` alone.
    """

    case = models.ForeignKey(CaseRecord, on_delete=models.PROTECT, related_name="parties", db_index=False)
    part = models.CharField(max_length=20)
    organization = models.CharField(max_length=40, blank=True)
    person = models.CharField(max_length=120, blank=True)
    kind_code = models.CharField(max_length=63)
    state = models.CharField(max_length=12)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "cases_party"
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "part", "organization", "person"], name="cases_party_once")]
        indexes: ClassVar = [
            models.Index(fields=["organization", "state", "kind_code", "opened_at", "case"], name="cases_party_seen"),
            models.Index(fields=["person", "case", "organization", "state", "kind_code", "opened_at"], name="cases_party_person"),
        ]


class ObligationQuerySet(models.QuerySet["ObligationRecord"]):
    """The only ways into the table of obligations for a list."""

    def waiting_for(self, actor: Actor, role_sets: Iterable[str]) -> ObligationQuerySet:
        """Open obligations whose seat is the actor's and that a right `cases.act` covers."""
        opened = self.model.objects.filter(state="open").order_by()
        seats = opened.filter(person=actor.id, organization__in=("", actor.organization)).values("pk")
        if actor.role:  # each half by an index of its own
            bodies = (actor.organization, ANY_BUREAU)
            held = opened.filter(role__in=list(role_sets), organization__in=bodies, assignee__in=("", actor.id))
            seats = seats.union(held.values("pk"))
        allowed = Q(pk__in=[])
        for right in actor.rights:
            if right.permission not in ("cases.act", ALL):
                continue
            within = Q()
            if ALL not in right.kinds:
                within &= Q(kind_code__in=right.kinds)
            if ALL not in right.organizations:
                within &= Q(organization__in=[*right.organizations, ANY_BUREAU]) | Q(person=actor.id)
            allowed = allowed | within if within else Q()
            if not within:
                break
        return self.filter(allowed, pk__in=seats, state="open")


class ObligationRecord(models.Model):
    """One piece of owed work (待办). `role` joins the codes of its roles with `+`, sorted.

    The seat of a `person` is theirs in its `organization` only; in any where it names none.

    `first_due_at`: when its own limit or a running clock of its case ends, whatever is first. Lists go by it.
    `superseded_seq`: the step that sent the case back to before it was opened: it counts in no group any more.
    """

    id = models.CharField(primary_key=True, max_length=26)
    case = models.ForeignKey(CaseRecord, on_delete=models.PROTECT, related_name="obligations", db_index=False)
    kind_code = models.CharField(max_length=63)
    name = models.CharField(max_length=63)
    group = models.CharField(max_length=63, blank=True)
    phase = models.CharField(max_length=63, blank=True)
    state = models.CharField(max_length=12)
    outcome = models.CharField(max_length=63, blank=True)
    organization = models.CharField(max_length=40, blank=True)
    role = models.CharField(max_length=200, blank=True)
    person = models.CharField(max_length=120, blank=True)
    assignee = models.CharField(max_length=120, blank=True)
    origin = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    child = models.ForeignKey(CaseRecord, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    values = models.JSONField(default=dict)
    score = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    opened_at = models.DateTimeField()
    opened_seq = models.PositiveIntegerField()
    closed_at = models.DateTimeField(null=True)
    closed_seq = models.PositiveIntegerField(null=True)
    closed_by = models.CharField(max_length=120, blank=True)
    closed_by_name = models.CharField(max_length=200, blank=True)
    superseded_seq = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField()
    limit_amount = models.PositiveIntegerField(null=True)
    limit_unit = models.CharField(max_length=10, blank=True)
    limit_basis = models.CharField(max_length=500, blank=True)
    extend_most = models.PositiveIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    estimated = models.BooleanField(default=False)
    first_due_at = models.DateTimeField(null=True)
    first_estimated = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    pause_basis = models.CharField(max_length=500, blank=True)
    pauses = models.JSONField(default=list)
    extensions = models.JSONField(default=list)
    warn_at = models.DateTimeField(null=True)
    warned = models.PositiveSmallIntegerField(default=0)
    lapse_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)

    objects: ClassVar = ObligationQuerySet.as_manager()

    class Meta:
        db_table = "cases_obligation"
        ordering: ClassVar = ["opened_at", "id"]
        indexes: ClassVar = [
            # Every step writes here: what only open rows are asked for is kept of open rows only.
            models.Index(fields=["case", "state", "group", "outcome"], name="cases_obligation_case"),
            models.Index(fields=["organization", "role", "first_due_at"], condition=Q(state="open"), name="cases_obligation_seat"),
            models.Index(fields=["person", "first_due_at"], condition=Q(state="open"), name="cases_obligation_person"),
            models.Index(fields=["first_due_at"], condition=Q(state="open"), name="cases_obligation_due"),
            models.Index(fields=["warn_at"], condition=Q(state="open", warn_at__isnull=False), name="cases_obligation_warn"),
            models.Index(fields=["origin"], condition=Q(origin__isnull=False), name="cases_obligation_origin"),
            models.Index(fields=["child"], condition=Q(child__isnull=False), name="cases_obligation_child"),
            models.Index(fields=["lapse_at"], name="cases_obligation_lapse", condition=Q(lapse_at__isnull=False)),
            models.Index(fields=["next_at"], name="cases_obligation_next", condition=Q(next_at__isnull=False)),
            models.Index(fields=["case"], name="cases_obligation_again", condition=Q(next_at__isnull=False)),
        ]


class TurnRecord(models.Model):
    """That an obligation came to somebody (轮到办理), or is `gone` from them, whose it was then: written with the step, told by the
    worker, with the seat of a role that was told; dropped a day after."""

    obligation = models.ForeignKey(ObligationRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    caused_by = models.CharField(max_length=120)
    came_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    gone = models.BooleanField(default=False, db_default=False)
    organization = models.CharField(max_length=40, blank=True, default="", db_default="")
    role = models.CharField(max_length=200, blank=True, default="", db_default="")
    person = models.CharField(max_length=120, blank=True, default="", db_default="")
    assignee = models.CharField(max_length=120, blank=True, default="", db_default="")

    class Meta:
        db_table = "cases_turn"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["told_at", "id"], name="cases_turn_told")]


class ClockRecord(models.Model):
    """A clock of the whole case (时限), beside those of its obligations. `warned`: rungs of the ladder passed; None is none yet."""

    id = models.CharField(primary_key=True, max_length=26)
    case = models.ForeignKey(CaseRecord, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    name = models.CharField(max_length=63)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    limit_amount = models.PositiveIntegerField()
    limit_unit = models.CharField(max_length=10)
    limit_basis = models.CharField(max_length=500)
    extend_most = models.PositiveIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    estimated = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    pause_basis = models.CharField(max_length=500, blank=True)
    pauses = models.JSONField(default=list)
    extensions = models.JSONField(default=list)
    warn_at = models.DateTimeField(null=True)
    warned = models.PositiveSmallIntegerField(null=True)

    class Meta:
        db_table = "cases_clock"
        ordering: ClassVar = ["started_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "name"], name="cases_clock_once")]
        indexes: ClassVar = [
            models.Index(fields=["warn_at"], condition=Q(stopped_at=None, warn_at__isnull=False), name="cases_clock_warn"),
        ]


class EventRecord(models.Model):
    """One step of a case, append-only. `diff` is all that it changed; folding them gives the rows."""

    id = models.CharField(primary_key=True, max_length=26)
    case = models.ForeignKey(CaseRecord, on_delete=models.PROTECT, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=63)
    obligation_id = models.CharField(max_length=26, blank=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=120)
    actor_name = models.CharField(max_length=200)
    actor_organization = models.CharField(max_length=40, blank=True)
    actor_organization_name = models.CharField(max_length=200, blank=True)
    actor_role = models.CharField(max_length=63, blank=True)
    on_behalf = models.CharField(max_length=120, blank=True)
    kind_digest = models.CharField(max_length=64)
    values = models.JSONField(default=dict)
    diff = models.JSONField()
    calls = models.JSONField(default=list)
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    evidence_id = models.CharField(max_length=40)

    class Meta:
        db_table = "cases_event"
        ordering: ClassVar = ["case_id", "seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "seq"], name="cases_event_seq")]


class WordsRecord(models.Model):
    """What was written in one step of a case, for searches only: who sees the case's page reads it there, too."""

    case = models.ForeignKey(CaseRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    seq = models.PositiveIntegerField()
    obligation_id = models.CharField(max_length=26, blank=True)
    text = models.TextField()

    class Meta:
        db_table = "cases_words"
        ordering: ClassVar = ["case_id", "seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "seq"], name="cases_words_once")]


class DelegationRecord(models.Model):
    """Who acts for whom while they are away (代办): one membership's seats, for a time, for some kinds or all."""

    id = models.CharField(primary_key=True, max_length=26)
    principal = models.CharField(max_length=120)
    principal_name = models.CharField(max_length=200)
    membership = models.PositiveBigIntegerField()
    organization = models.CharField(max_length=40)
    delegate = models.CharField(max_length=120)
    delegate_name = models.CharField(max_length=200)
    kinds = models.JSONField(default=list)
    reason = models.CharField(max_length=500)
    since = models.DateField()
    until = models.DateField()
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_delegation"
        ordering: ClassVar = ["-made_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["delegate", "until"], name="cases_delegation_delegate"),
            models.Index(fields=["principal", "until"], name="cases_delegation_principal"),
        ]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(since__lte=models.F("until")), name="cases_delegation_order")]


class MigrationRecord(models.Model):
    """A change procedure (流程变更): how running cases of one version move to another; two persons.

    The way back is kept in the events of the cases: each says how its case stood before.
    """

    id = models.CharField(primary_key=True, max_length=26)
    kind_code = models.CharField(max_length=63)
    source = models.ForeignKey(KindRecord, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(KindRecord, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10)
    moves = models.JSONField()
    reason = models.CharField(max_length=500)
    author = models.CharField(max_length=120)
    author_name = models.CharField(max_length=200)
    approver = models.CharField(max_length=120, blank=True)
    approver_name = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    moved = models.PositiveIntegerField(default=0)
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        db_table = "cases_migration"
        ordering: ClassVar = ["-made_at", "-id"]


class TrialRecord(models.Model):
    """The last dry run (试算) of a plan, by the digest of what the plan does; `stands` marks the cases as they stood then."""

    id = models.CharField(primary_key=True, max_length=64)
    kind_code = models.CharField(max_length=63)
    made_at = models.DateTimeField()
    stands = models.CharField(max_length=100)
    told = models.JSONField()

    class Meta:
        db_table = "cases_trial"
        ordering: ClassVar = ["-made_at", "id"]
