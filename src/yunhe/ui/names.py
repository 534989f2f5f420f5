"""Names that people read for codes that lower rooms only store; the roof declares them for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Name = Mapping[str, str] | str
Resolve = Callable[[frozenset[str]], Mapping[str, Name]]

_names: dict[str, dict[str, Name]] = {}
_resolvers: dict[str, Resolve] = {}


def declare_names(group: str, names: Mapping[str, Name]) -> None:
    """Add names of a group of codes: `permission`, `evidence_kind`, `subject_type` …"""
    _names.setdefault(group, {}).update(names)


def declare_resolver(group: str, resolve: Resolve) -> None:
    """Say who knows the names of codes that change: `organization`."""
    _resolvers[group] = resolve


def names_of(group: str, codes: Iterable[str]) -> dict[str, Name]:
    """Return code → name; a code without one stands for itself. Cost: one call of the resolver."""
    wanted = frozenset(code for code in codes if code)
    known = _names.get(group, {})
    unknown = wanted - known.keys()
    found = _resolvers[group](unknown) if unknown and group in _resolvers else {}
    return {code: known.get(code) or found.get(code) or code for code in wanted}


@dataclass(slots=True)
class Lookup:
    """Names of one group for one page: `prepare` asks for many at once, a call answers for one."""

    group: str
    _cache: dict[str, Name] = field(default_factory=dict)

    def prepare(self, codes: Iterable[str]) -> None:
        self._cache.update(names_of(self.group, set(codes) - self._cache.keys()))

    def __call__(self, code: str) -> Name:
        if code and code not in self._cache:
            self.prepare([code])
        return self._cache.get(code, code)
