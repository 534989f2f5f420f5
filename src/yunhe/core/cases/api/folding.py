"""What the events of a case changed, one after the other: how it came to stand as it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yunhe.core.cases.types import OPINION


def differences(events: Iterable[Any]) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Yield what each event of a case changed, from its first on.

    One of before the seats of persons named their organisation gets it: that of who opened the case, of who asked for an
    opinion, or, where the person is another, of the applicant. Migration 0017 gave it to the rows alike.
    """
    opened, asked = dict[str, Any](), dict[str, str]()
    for event in events:
        if not opened:
            opened = {"opened_for": event.actor_organization, **event.diff["case"]}
        seats = {key: seat for key, row in event.diff.get("obligations", {}).items() if (seat := _named_seat(key, row, event, opened, asked))}
        case = {"case": opened} if event.diff.get("case", {}).get("opened_at") else {}
        yield {**event.diff, **case, **({"obligations": {**event.diff["obligations"], **seats}} if seats else {})}


def _named_seat(key: str, row: Mapping[str, Any], event: Any, opened: Mapping[str, Any], asked: dict[str, str]) -> Mapping[str, Any]:
    """Return the changes of an obligation with the organisation of the person whose it became, nothing where that is told."""
    if row.get("organization") or not str(row.get("person", "")).startswith("user:"):
        return {}
    if row.get("name") == OPINION:
        body = asked.setdefault(key, event.actor_organization)
    else:
        body = opened["opened_for" if row["person"] == opened["opened_by"] else "organization"]
    return {**row, "organization": body}
