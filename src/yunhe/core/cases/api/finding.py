"""What a list's filters mean, each said once: the inbox, the list of cases, saved views and team work ask here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from itertools import islice
from operator import and_, or_

from django.db.models import Exists, F, OuterRef, Q

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.holding import BUREAU_NAME
from yunhe.core.cases.models import ANY_BUREAU, ClockRecord, ObligationRecord, PartyRecord, WordsRecord
from yunhe.core.cases.rules import clock
from yunhe.core.cases.rules.course import CLOSED, DONE, OPEN, SUSPENDED
from yunhe.core.cases.rules.search import asked_words, body_mark, fold
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import PageRequest

WAITING_FILTERS = ("kind", "due")
RUNNING, GOES_ON = "running", ("open", "suspended")
CASE_FILTERS = ("kind", "state", "phase", "organization", "part", "due", "person", "obligation", "subject_type", "subject_id")
FIRST = "first_due_at"
LEAST_OF_A_NAME, MOST_NAMED = 2, 200
"""From how many letters on a search asks the names of bodies and people, and how many of each it takes."""
DONE_DAYS = {"done_7": 7, "done_30": 30, "late_30": 30}


def soon_now() -> datetime:
    """Return up to when something is due soon. Cost: one small query."""
    return clock.soon_until(now(), kinds.calendar())


def due_condition(due: str, by: str = "due_at", soon: datetime | None = None) -> Q:
    """Return when something is due: overdue, today, week (until Sunday or the next workday), later (or never), paused (stands still). Else no condition.

    `by` is the column that says so: an obligation's line goes by `FIRST`, the clock of its case included. `soon` as `soon_now`.
    """
    moment = now()
    if due == "overdue":
        return Q((f"{by}__lt", moment))
    if due == "today":
        return Q((f"{by}__gte", moment), (f"{by}__lt", _midnight(moment) + timedelta(days=1)))
    stands = Q(state=SUSPENDED) if by == "due_at" else Q(paused_at__isnull=False, first_due_at=None)
    if due == "paused":
        return stands
    if due not in ("week", "later"):
        return Q()
    soon = soon or soon_now()
    return Q((f"{by}__gte", moment), (f"{by}__lte", soon)) if due == "week" else Q((f"{by}__gt", soon)) | Q((f"{by}__isnull", True)) & ~stands


def waiting_condition(request: PageRequest, soon: datetime | None = None) -> Q:
    """Return what the filters and the search of an inbox ask of an obligation; `soon` as `soon_now`."""
    found = due_condition(request.filters.get("due", ""), FIRST, soon)
    if request.filters.get("kind"):
        found &= Q(kind_code=request.filters["kind"])
    return found & words_condition(request.search, "case__") if request.search else found


def case_condition(request: PageRequest, actor: Actor, words: Q | None = None) -> Q:
    """Return what the filters and the search of a list of cases ask of a case; `words` is what the search asks, read here if not given."""
    wanted = request.filters
    columns = {"kind": "kind_code", "phase": "phase", "subject_type": "subject_type", "subject_id": "subject_id"}
    found = Q(**{column: wanted[name] for name, column in columns.items() if wanted.get(name)})
    found &= Q(state__in=states) if (states := asked_states(wanted)) else Q()
    if body := wanted.get("organization"):
        found &= Q(organization=body) | Q(owner=body)
    if part := {"opened": "opener", "handled": "handler"}.get(wanted.get("part", "")):
        parties = PartyRecord.objects.filter(case=OuterRef("pk"), part=part, person=actor.id, organization=actor.organization)
        found &= Q(Exists(parties))
    if wanted.get("due") == "late":
        found &= _late()
    elif wanted.get("due"):
        found &= ~Q(state=CLOSED) & due_condition(wanted["due"])
    if wanted.get("person") or wanted.get("obligation"):
        owed = ObligationRecord.objects.filter(holder_condition(wanted.get("person", "")), case=OuterRef("pk"), state=OPEN)
        found &= Q(Exists(owed.filter(name=wanted["obligation"]) if wanted.get("obligation") else owed))
    return found & (words_condition(request.search) if words is None else words) if request.search else found


def asked_states(wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return the states that a list of cases is asked for, none for every one; `running` is all that go on."""
    state = wanted.get("state", "")
    return GOES_ON if state == RUNNING else (state,) if state else ()


def _late() -> Q:
    """Return the cases of which something was ended after its time, whether they are over or not."""
    done = ObligationRecord.objects.filter(case=OuterRef("pk"), state=DONE, superseded_seq=None, due_at__lt=F("closed_at"))
    ended = ClockRecord.objects.filter(case=OuterRef("pk"), due_at__lt=F("stopped_at"))
    return Q(Exists(done)) | Q(Exists(ended))


def words_condition(asked: str, case: str = "") -> Q:
    """Return which cases a search finds, of those that may be seen: those that every one of its words finds, in any order.

    A word finds a case by its own words, those of its steps, the name of a body, or of who handles it or did. `case` leads
    to the case from the rows that are asked. Bodies: who applies, who handles it, who was asked, and who stands in its
    fields and forms. Whoever calls this keeps to cases whose page the reader may open. Cost: two queries, however many words.
    """
    words = asked_words(asked)
    if not words:
        return Q()
    bodies, people = _bodies(words), _people(words)
    return reduce(and_, (_word_condition(word, case, bodies[word], people[word]) for word in words))


def _word_condition(word: str, case: str, bodies: list[str], people: list[str]) -> Q:
    texts = (word, *(body_mark(code) for code in bodies))
    written = WordsRecord.objects.filter(_holds("text", texts)).order_by().values("case")
    found = _holds(f"{case}search", texts) | Q((f"{case}pk__in", written))
    if bodies:
        owed = ObligationRecord.objects.filter(organization__in=bodies).order_by().values("case")
        found |= Q((f"{case}organization__in", bodies)) | Q((f"{case}owner__in", bodies)) | Q((f"{case}pk__in", owed))
    if people:
        held = ObligationRecord.objects.filter(Q(assignee__in=people) | Q(person__in=people), state=OPEN).order_by().values("case")
        acted = PartyRecord.objects.filter(person__in=people).order_by().values("case")
        found |= Q((f"{case}pk__in", held)) | Q((f"{case}pk__in", acted))
    return found


def _holds(column: str, texts: Iterable[str]) -> Q:
    return reduce(or_, (Q((f"{column}__contains", text)) for text in texts))


_folded = lru_cache(maxsize=100_000)(fold)
"""Names are asked by every search and seldom change."""


def _bodies(words: Iterable[str]) -> dict[str, list[str]]:
    """Return for each word the codes of the bodies whose name holds it."""
    told = [(code, [_folded(name) for name in names]) for code, *names in organizations.list_names()]
    told.append((ANY_BUREAU, [_folded(BUREAU_NAME)]))
    return {word: _named(word, told) for word in words}


def _people(words: Iterable[str]) -> dict[str, list[str]]:
    """Return for each word the ids of the people whose name holds it."""
    told = [(f"user:{number}", [_folded(name)]) for number, name in organizations.find_names().items()]
    return {word: _named(word, told) for word in words}


def _named(word: str, told: Iterable[tuple[str, list[str]]]) -> list[str]:
    found = (key for key, names in told if any(word in name for name in names))
    return list(islice(found, MOST_NAMED)) if len(word) >= LEAST_OF_A_NAME else []


def holder_condition(holder: str) -> Q:
    """Return who holds an open obligation: a person (`user:…`), or a role seat (`role:…`) that nobody took."""
    if holder.startswith("role:"):
        return Q(role=holder.removeprefix("role:"), assignee="", person="")
    return Q(assignee=holder) | Q(person=holder, assignee="") if holder else Q()


def measure_condition(measure: str) -> Q:
    """Return one number of a team's work: open, overdue, today, week; or done_7, done_30, today included, and late_30 of these."""
    if measure in DONE_DAYS:
        late = {"due_at__lt": F("closed_at")} if measure == "late_30" else {}
        return Q(state=DONE, closed_at__gte=_midnight(now()) - timedelta(days=DONE_DAYS[measure] - 1), **late)
    return Q(state=OPEN) & due_condition(measure, FIRST)


def _midnight(moment: datetime) -> datetime:
    return local(moment).replace(hour=0, minute=0, second=0, microsecond=0)
