"""Values of shared data in forms: asked through the source's own door, kept and signed here, never taken from the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction

from yunhe.core.cases.api import slots
from yunhe.core.cases.models import ReceiptRecord
from yunhe.core.cases.rules.digests import canonical_json, digest_of
from yunhe.core.cases.rules.fields import Surroundings, examine
from yunhe.core.cases.types import (
    FieldElement,
    FieldSpec,
    KindSpec,
    Receipt,
    SourceAnswer,
    Sourced,
    SourceQuestion,
    SourceState,
)
from yunhe.core.keys import api as keys
from yunhe.crypto import sm3
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id

T = TypeVar("T")
FOUND_FOR, ELSE_FOR = timedelta(days=7), timedelta(minutes=10)
"""How long an answer stands for a form that is not handed in: a value, and that there was none."""
MOST_FETCHES = 200
SIGNED = (
    "id", "person", "organization", "scope", "field", "source", "arguments", "state", "value", "title", "snapshot",
    "evidence_id", "problem",
)  # fmt: skip
PURPOSE_SIGN, PURPOSE_ASK = "cases.receipt", "cases.receipt.arguments"


class SourceNeeded(Exception):
    """A transaction needs a value that only a source has; it is asked outside, with its own evidence, and tried again."""

    def __init__(self, fetch: Callable[[], object]) -> None:
        super().__init__()
        self.fetch = fetch


def fetching(step: Callable[[], T]) -> T:
    """Do a step in one transaction; what it needs from a source is fetched outside of it, and the step done again."""
    for _ in range(MOST_FETCHES):
        try:
            with transaction.atomic():
                return step()
        except SourceNeeded as needed:
            needed.fetch()
    with transaction.atomic():
        return step()


class Desk:
    """Gets the values of one person's form from shared data. `scope` names the form, `case` the case or draft for the evidence."""

    def __init__(
        self, actor: Actor, scope: str, *, purpose: str, case: str, element: Callable[[str], FieldElement | None]
    ) -> None:
        self.actor = actor
        self.scope = scope
        self.purpose = purpose
        self.case = case
        self.element = element
        self.fetched: dict[str, Sourced] = {}
        self._used: dict[str, str] = {}

    def find(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> Sourced:
        """Return what was fetched before, else "waiting": for looking at a form without asking anything."""
        return self._known(spec, arguments) or Sourced("waiting")

    def need(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> Sourced:
        """Return what was fetched before. Raises: SourceNeeded, so that `fetching` gets it."""
        sourced = self._known(spec, arguments)
        if sourced is None:
            raise SourceNeeded(lambda: self.fetch(spec, arguments))
        if sourced.receipt:
            self._used[spec.name] = sourced.receipt.receipt_id
        return sourced

    def get(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> Sourced:
        """Return what was fetched before, else ask the source now."""
        return self._known(spec, arguments) or self.fetch(spec, arguments)

    def fetch(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> Sourced:
        """Ask the source and keep its answer; one that fails, or does not fit the field, is "unavailable" and says why."""
        assert spec.source is not None
        question = SourceQuestion(arguments, self.actor, self.purpose, self.case)
        problem: dict[str, str] = {}
        try:
            answer = slots.ask_source(spec.source.code, question)
            value, unfit = self._fitting(spec, answer)
            state: SourceState = "unavailable" if unfit else "found" if answer.found else "absent"
            problem = unfit
        except YunheError as error:
            answer, value, state = SourceAnswer(False, {}), None, "unavailable"
            problem = error.texts
        row = self._keep(spec, arguments, answer, state, value, problem)
        sourced = Sourced(state, value, receipt_of(row))
        self.fetched[self._key(spec, arguments)] = sourced
        return sourced

    def hand_in(self, case_id: str, seq: int) -> None:
        """Bind the receipts that were used to the case, and drop the others of this form; in the caller's transaction."""
        mine = self._mine()
        mine.filter(pk__in=list(self._used.values())).update(case_id=case_id, seq=seq)
        mine.filter(case=None).delete()

    def _fitting(self, spec: FieldSpec, answer: SourceAnswer) -> tuple[Any, dict[str, str]]:
        """Return the value as the field holds it, or why it cannot hold it."""
        if not answer.found:
            return None, {}
        plain = spec.model_copy(update={"source": None, "when": "", "default_from": "", "required": False})
        found = examine((plain,), {spec.name: answer.value}, around=Surroundings(element=self.element))
        if found.problems:
            said = found.problems[0]
            return None, {"zh": f"共享数据的值不合要求：{said.zh}", "en": f"The shared value does not fit: {said.en}"}
        return found.clean[spec.name], {}

    def _keep(
        self, spec: FieldSpec, arguments: Mapping[str, Any], answer: SourceAnswer, state: str, value: Any, problem: dict[str, str]
    ) -> ReceiptRecord:
        assert spec.source is not None
        row = ReceiptRecord(
            id=new_id(), person=self.actor.id, organization=self.actor.organization, scope=self.scope, field=spec.name,
            source=spec.source.code, arguments=_arguments_digest(arguments), state=state, value=value,
            title=dict(answer.title), snapshot=answer.snapshot, evidence_id=answer.evidence_id, problem=problem, at=now(),
        )  # fmt: skip
        row.digest, row.mac = digest_of(_signed(row)), _mac(row)
        row.save(force_insert=True)
        return row

    def _known(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> Sourced | None:
        held = self.fetched.get(self._key(spec, arguments))
        if held is not None:
            return held
        rows = self._mine().filter(case=None, field=spec.name, arguments=_arguments_digest(arguments))
        row = rows.order_by("-at", "-id").first()
        if row is None or not is_intact(row) or row.at < now() - (FOUND_FOR if row.state == "found" else ELSE_FOR):
            return None
        assert spec.source is not None
        if row.source != spec.source.code:
            return None
        return Sourced(row.state, row.value, receipt_of(row))  # type: ignore[arg-type]

    def _mine(self) -> Any:
        return ReceiptRecord.objects.filter(person=self.actor.id, organization=self.actor.organization, scope=self.scope)

    def _key(self, spec: FieldSpec, arguments: Mapping[str, Any]) -> str:
        return f"{spec.name}:{_arguments_digest(arguments)}"


def receipts_of(case_id: str, spec: KindSpec) -> tuple[Receipt, ...]:
    """Return the receipts that were handed in with a case, in order; none is asked for where the kind has no source."""
    forms = (spec.fields, *(a.fields for o in spec.obligations.values() for a in o.actions.values()))
    titles = {f.name: f.title.as_mapping() for form in forms for f in form if f.source}
    rows = ReceiptRecord.objects.filter(case_id=case_id).order_by("seq", "at", "id") if titles else ()
    return tuple(receipt_of(row, titles.get(row.field, {})) for row in rows)


def receipt_of(row: ReceiptRecord, title: Mapping[str, str] | None = None) -> Receipt:
    """Return a kept receipt, and whether it still is what was signed."""
    return Receipt(
        receipt_id=row.pk, field=row.field, state=row.state, value=row.value, source=row.source, title=row.title,  # type: ignore[arg-type]
        snapshot=row.snapshot, evidence_id=row.evidence_id, problem=row.problem, at=row.at, digest=row.digest,
        intact=is_intact(row), field_title=title or {},
    )  # fmt: skip


def is_intact(row: ReceiptRecord) -> bool:
    """Tell whether a kept receipt is what the node signed."""
    return row.digest == digest_of(_signed(row)) and row.mac == _mac(row)


def _signed(row: ReceiptRecord) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in SIGNED}, "at": row.at.isoformat()}


def _mac(row: ReceiptRecord) -> str:
    return sm3.hmac(keys.derive(PURPOSE_SIGN), canonical_json(_signed(row))).hex()


def _arguments_digest(arguments: Mapping[str, Any]) -> str:
    """Return a keyed digest: what was asked with is personal and is not kept."""
    return sm3.hmac(keys.derive(PURPOSE_ASK), canonical_json(dict(arguments))).hex()
