"""How many evidence lines a caller who proved nothing may cause.

Anybody who reaches the port can make refused calls. The first of a minute are written one by one; the rest
are counted and stand in one line per peer and minute, so that nobody fills the spool or the ledger. Calls
under an authenticated key never come here: each has its own line.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from yunhe.kernel.ids import new_id

KIND = "gateway.refused"
NOBODY = "-"
LINES = 10
PERIOD = timedelta(minutes=1)
PEERS = 200
OTHERS = "others"
_IPV6_PREFIX = 64  # what one subscriber holds


@dataclass(slots=True)
class Held:
    """Refusals that are counted only: how many of which code, when the first and the last."""

    peer: str
    since: datetime
    until: datetime
    codes: Counter[str] = field(default_factory=Counter)

    def line(self, at: datetime) -> dict[str, Any]:
        """Return the evidence line, in the shape of an evidence record."""
        facts = {
            "outcome": "refused",
            "peer": self.peer,
            "count": self.codes.total(),
            "codes": dict(sorted(self.codes.items())),
            "since": self.since.isoformat(timespec="seconds"),
            "until": self.until.isoformat(timespec="seconds"),
        }
        return {
            "id": new_id(),
            "at": at.isoformat(timespec="microseconds"),
            "kind": KIND,
            "actor_kind": "system",
            "actor_id": f"system:{NOBODY}",
            "actor_name": NOBODY,
            "actor_role": "",
            "organization": "",
            "owner_organization": "",
            "subject_type": "access_key",
            "subject_id": NOBODY,
            "facts": facts,
        }


@dataclass(slots=True)
class _Minute:
    began: datetime
    lines: int = 0
    held: Held | None = None


class RefusalMeter:
    """Per peer and minute: `lines` lines, then a count. Past `peers` peers in a minute the rest are one.

    The counts live in memory until their minute is over: a killed process loses at most those.
    """

    def __init__(self, *, lines: int = LINES, period: timedelta = PERIOD, peers: int = PEERS) -> None:
        self._lines = lines
        self._period = period
        self._peers = peers
        self._minutes: dict[str, _Minute] = {}
        self._due: dict[str, Held] = {}

    def admit(self, *, peer: str, code: str, at: datetime) -> bool:
        """Tell whether this refusal gets a line of its own; otherwise it is counted."""
        name = self._name(peer)
        minute = self._minutes.get(name)
        if minute is None or not minute.began <= at < minute.began + self._period:
            self._end(name)
            minute = self._minutes[name] = _Minute(at)
        if minute.lines < self._lines:
            minute.lines += 1
            return True
        if minute.held is None:
            minute.held = Held(name, at, at)
        minute.held.until = at
        minute.held.codes[code] += 1
        return False

    def due(self, *, at: datetime, everything: bool = False) -> list[Held]:
        """Return the counts whose minute is over (or all), until `settle` says that they are written."""
        for name, minute in list(self._minutes.items()):
            if everything or not minute.began <= at < minute.began + self._period:
                self._end(name)
        return list(self._due.values())

    def settle(self, held: Held) -> None:
        """Do forget a count: its line is durable."""
        if self._due.get(held.peer) is held:
            del self._due[held.peer]

    def _name(self, peer: str) -> str:
        name = peer_group(peer)
        known = name in self._minutes or name in self._due
        return name if known or len(self._minutes.keys() | self._due.keys()) < self._peers else OTHERS

    def _end(self, name: str) -> None:
        """Do move a minute's count to those that are due; one that could not be written yet takes it up."""
        minute = self._minutes.pop(name, None)
        if minute is None or minute.held is None:
            return
        waiting = self._due.get(name)
        held = minute.held
        if waiting is not None:
            held = Held(name, waiting.since, held.until, waiting.codes + held.codes)
        self._due[name] = held


def peer_group(peer: str) -> str:
    """Return what counts as one peer: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)
