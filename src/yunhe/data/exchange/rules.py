"""Pure decisions of exchange: which fields may be asked for, which masks hold, how long a grant lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from yunhe.data.exchange.errors import BadUntil, FieldNotGranted, NotShared, UnknownFields
from yunhe.kernel.clock import SHANGHAI

LONGEST_GRANT_DAYS = 3 * 366  # our own bound: decree 809 sets no longest term
DEFAULT_GRANT_DAYS = 365


def check_requested_fields(
    *, resource: str, asked: Sequence[str], sharing: Mapping[str, str], basis: str
) -> tuple[str, ...]:
    """Return the asked fields in the resource's order, each once.

    `sharing` maps every field of the resource to unconditional, conditional or refused.
    Raises: UnknownFields; NotShared if one of them is refused (standards: 10th trap, per 信息项).
    """
    unknown = [name for name in asked if name not in sharing]
    if unknown or not asked:
        raise UnknownFields(resource=resource, fields=", ".join(unknown) or "—", known=", ".join(sharing))
    refused = [name for name in asked if sharing[name] == "refused"]
    if refused:
        raise NotShared(what=f"{resource}: {', '.join(refused)}", basis=basis or "—")
    return tuple(name for name in sharing if name in set(asked))


def effective_mask(*, granted: str, contract: str) -> str:
    """Return the stricter of a grant's mask and the contract's: what the contract masks is never opened.

    Masks of different kinds cannot be compared, so that beside the contract's own only `hide` is stricter.
    """
    if contract == "none" or granted == "hide":
        return granted
    return contract


def stricter_masks(*, fields: Iterable[str], contract: Mapping[str, str], decided: Mapping[str, str]) -> dict[str, str]:
    """Return the mask of each field: the owner's decision within what the contract demands."""
    return {
        name: effective_mask(granted=decided.get(name) or contract.get(name, "none"), contract=contract.get(name, "none"))
        for name in fields
    }


def narrow_fields(*, requested: Sequence[str], granted: Sequence[str], grant: str) -> tuple[str, ...]:
    """Return the owner's choice within what was asked. Raises: FieldNotGranted if it goes beyond."""
    beyond = [name for name in granted if name not in set(requested)]
    if beyond or not granted:
        raise FieldNotGranted(grant=grant, fields=", ".join(beyond) or "—", granted=", ".join(requested))
    return tuple(name for name in requested if name in set(granted))


def default_until(*, at: datetime) -> date:
    """Return the last local day of a grant that names none: a year from `at`."""
    return at.astimezone(SHANGHAI).date() + timedelta(days=DEFAULT_GRANT_DAYS)


def end_of_grant(*, until: str, at: datetime) -> datetime:
    """Return the instant at which a grant ends: the end of the local day `until` (YYYY-MM-DD).

    An empty `until` means a year from now. Raises: BadUntil.
    """
    today = at.astimezone(SHANGHAI).date()
    latest = today + timedelta(days=LONGEST_GRANT_DAYS)
    try:
        last_day = date.fromisoformat(until) if until else default_until(at=at)
    except ValueError as error:
        raise BadUntil(until=until, latest=latest) from error
    if not today < last_day <= latest:
        raise BadUntil(until=until, latest=latest)
    return datetime.combine(last_day + timedelta(days=1), datetime.min.time(), SHANGHAI)
