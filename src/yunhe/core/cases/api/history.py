"""By which version of its kind each step of a case was taken, and what a change of procedure did to the case, in words.

A case that was moved shows its past in the words of then: what was owed and done by a version has its titles there, and a
version that came later, or that the case went back to, may have none for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yunhe.core.cases.api import folding, kinds
from yunhe.core.cases.models import EventRecord, KindRecord, ObligationRecord
from yunhe.core.cases.rules.course import DONE, OPEN
from yunhe.core.cases.rules.outcomes import answer_titles
from yunhe.core.cases.rules.position import Position, apply_difference, empty_position
from yunhe.core.cases.rules.returning import what_moved
from yunhe.core.cases.rules.wording import listed, phase_title
from yunhe.core.cases.types import Fact, KindSpec, ObligationSpec

Text = Mapping[str, str]
TITLES: Mapping[str, Text] = {
    "versions": {"zh": "版本", "en": "Version"}, "moved": {"zh": "阶段", "en": "Phase"}, "ended": {"zh": "结束", "en": "Ended"},
    "opened": {"zh": "开启", "en": "Opened"}, "renamed": {"zh": "改名", "en": "Renamed"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a case. `steps`: by number of an event, `named`: by obligation, the version that gave it its name.

    `names`: what the obligation of a step was called then. `facts`: what a move to another version changed, by its number.
    A case that never moved has the present version only.
    """

    present: KindSpec
    steps: Mapping[int, KindSpec] = field(default_factory=dict)
    named: Mapping[str, KindSpec] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    facts: Mapping[int, tuple[Fact, ...]] = field(default_factory=dict)

    def step(self, seq: int | None) -> KindSpec:
        """Return the version by which a step was taken."""
        return self.steps.get(seq or 0, self.present)

    def obligation(self, item: ObligationRecord) -> ObligationSpec:
        """Return an obligation as it is declared: what is open by the present version, what is over by the one that opened it."""
        spec = self.present if item.state == OPEN else self.named.get(item.pk, self.present)
        return spec.obligation(item.name)

    def outcomes(self, item: ObligationRecord) -> Mapping[str, Text]:
        """Return what the ways to end an obligation are called."""
        ended = self.step(item.closed_seq).obligation(item.name)
        return {**answer_titles(ended), **answer_titles(self.obligation(item))}


def history_of(events: Sequence[EventRecord], present: KindSpec, bodies: Mapping[str, str]) -> History:
    """Return the history of a case from its events, in order; `bodies` are the names of organisations.

    Cost: nothing for a case that never moved, else a query for its versions and the folding of its events.
    """
    if not any(event.action == "migrate" for event in events):
        return History(present)
    rows = {row.digest: row for row in KindRecord.objects.filter(digest__in={event.kind_digest for event in events}, code=present.code)}
    specs = {digest: kinds.spec_of(row) for digest, row in rows.items()}
    steps, named, names, facts = dict[int, KindSpec](), dict[str, KindSpec](), dict[int, str](), dict[int, tuple[Fact, ...]]()
    after, before_digest = empty_position(), ""
    for event, difference in zip(events, folding.differences(events), strict=True):
        before, after, spec = after, apply_difference(after, difference), specs.get(event.kind_digest, present)
        steps[event.seq] = spec
        named |= {key: spec for key, row in difference.get("obligations", {}).items() if "name" in row}
        names[event.seq] = str(after["obligations"].get(event.obligation_id, {}).get("name", ""))
        if event.action == "migrate" and before_digest in rows and event.kind_digest in rows:
            facts[event.seq] = tuple(_facts((rows[before_digest], rows[event.kind_digest]), before, after, bodies))
        before_digest = event.kind_digest
    return History(present, steps, named, names, facts)


def titles_of_done(items: Iterable[ObligationRecord]) -> dict[str, Text]:
    """Return by id what those that are done in moved cases were called by the version by which they were done. Cost: two queries.

    One that got its name later, as what comes again may, is not among them.
    """
    done = {(item.case_id, item.closed_seq): item for item in items if item.state == DONE}
    where = {"case__in": {case_id for case_id, _seq in done}, "seq__in": {seq for _case, seq in done}}
    steps = EventRecord.objects.filter(**where).order_by().values_list("case_id", "seq", "kind_digest") if done else ()
    moved = {(case_id, seq): digest for case_id, seq, digest in steps if (case_id, seq) in done and done[case_id, seq].case.kind.digest != digest}
    rows = KindRecord.objects.filter(digest__in=set(moved.values())) if moved else ()
    specs = {(row.code, row.digest): kinds.spec_of(row) for row in rows}
    found = dict[str, Text]()
    for place, digest in moved.items():
        item, spec = done[place], specs.get((done[place].kind_code, digest))
        if spec is not None and item.name in spec.obligations:
            found[item.pk] = spec.obligation(item.name).title.as_mapping()
    return found


def _facts(versions: tuple[KindRecord, KindRecord], before: Position, after: Position, bodies: Mapping[str, str]) -> Iterable[Fact]:
    """Yield what a move changed: the versions, the phases, what ended, opened and was renamed, each with whose it is."""
    source, target = versions
    old, new = kinds.spec_of(source), kinds.spec_of(target)
    yield _fact("versions", {"zh": f"第 {source.number} 版 → 第 {target.number} 版", "en": f"{source.number} → {target.number}"})
    here, there = phase_title(old, str(before["case"]["phase"])), phase_title(new, str(after["case"]["phase"]))
    said = {"zh": f"{here['zh']} → {there['zh']}", "en": f"{here['en']} → {there['en']}"}
    yield _fact("moved", said if before["case"]["phase"] != after["case"]["phase"] else {"zh": f"仍在{there['zh']}", "en": f"still {there['en']}"})
    moved = what_moved(before, after)
    for name, spec in (("ended", old), ("opened", new)):
        if moved[name]:
            yield _fact(name, listed(_seat(spec, row, bodies) for row in moved[name]))
    if moved["renamed"]:
        yield _fact("renamed", listed(_renamed(old, new, *pair) for pair in moved["renamed"]))


def _fact(name: str, said: Text) -> Fact:
    return Fact(name, TITLES[name], "text", said["zh"], said)


def _seat(spec: KindSpec, row: Mapping[str, Any], bodies: Mapping[str, str]) -> Text:
    title, body = _title(spec, row), str(row.get("organization") or "")
    if not body:
        return title
    named = bodies.get(body, body)
    return {"zh": f"{title['zh']}（{named}）", "en": f"{title['en']} ({named})"}


def _renamed(old: KindSpec, new: KindSpec, before: Mapping[str, Any], after: Mapping[str, Any]) -> Text:
    was, becomes = _title(old, before), _title(new, after)
    return {language: f"{was[language]} → {becomes[language]}" for language in ("zh", "en")}


def _title(spec: KindSpec, row: Mapping[str, Any]) -> Text:
    told = spec.obligation(str(row["name"])).title.as_mapping()
    return {"zh": told["zh"], "en": told.get("en") or told["zh"]}
