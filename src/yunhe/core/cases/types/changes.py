"""Changes of procedures (流程变更): what moves where, how far a change is, and what it did where it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

WENT_ON = "went_on"
"""The origin of cases that a change moved and that were acted on since: nobody knows but people where they belong now."""


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to the running cases of one position when their kind changes.

    Shape: the position is a phase and the sorted names of its open obligations; `("*",)` there is any other position
    of the phase, that came up after the plan was made. `choice`: keep (stay on the old version) or move; then to
    `phase`, with `renames` (old to new name of an obligation, also of one that is to come again at its next period),
    `cancel` and `add`: pairs of an obligation and the organisation of its seat; "" there is every one, or whom the kind names.
    `limits`: keep what was promised, recount from each clock's own start by the new version, or restore what was before
    the change that is undone. `origin`, on the way back only: which of the cases that stand there it is for, those that came
    from the same place (WENT_ON: those that went on since); what came by another change or by none is of no origin.
    `left_out`, likewise: the names of what the change cancelled in each of them and the way back does not open again, sub-cases
    and opinions that were asked for.
    """

    phase: str
    obligations: tuple[str, ...]
    choice: Literal["keep", "move"] = "move"
    to_phase: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)
    cancel: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    cases: int = 0
    limits: Literal["keep", "recount", "restore"] = "keep"
    origin: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Migration:
    """A change procedure: drafted, approved, running, done."""

    migration_id: str
    kind: str
    source_number: int
    target_number: int
    state: str
    moves: tuple[Move, ...]
    changes: tuple[tuple[str, str, str], ...]
    reason: str
    author_name: str
    approver_name: str
    made_at: datetime
    done_at: datetime | None
    moved: int
    kind_title: Mapping[str, str] = field(default_factory=dict)
    author: str = ""
    approved_at: datetime | None = None
    undoes: str = ""
    undone_by: str = ""
    in_the_way: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owed:
    """Who owes what, and until when: an open obligation, or the clock of a whole case, which nobody owes."""

    title: Mapping[str, str]
    organization_name: str = ""
    roles: tuple[str, ...] = ()
    person_name: str = ""
    due_at: datetime | None = None
    paused: bool = False
    lapse_at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TriedLine:
    """What became of one obligation or clock when a move was tried: as it stood before and after; None where it was not there.

    `told`: who will be told that it came to them, `lost`: that it is theirs no more. `nobody`: no one holds the seat it came to.
    """

    before: Owed | None
    after: Owed | None
    told: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    nobody: bool = False


@dataclass(frozen=True, slots=True)
class TriedCase:
    """One case that a move was tried on; `problem` says why it failed, nothing where it did not."""

    case_id: str
    number: str
    lines: tuple[TriedLine, ...]
    problem: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TriedGroup:
    """The cases of one position on which its move was tried: of `cases` those in `tried`."""

    phase: str
    obligations: tuple[str, ...]
    to_phase: str
    cases: int
    tried: tuple[TriedCase, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a plan would do to the cases as they stand now.

    `problems` by position and origin: what would strand some of them, or fails. `groups`: what became of the cases that the moves were
    tried on; empty where they were only checked.
    """

    moved: int
    kept: int
    problems: Mapping[tuple[str, tuple[str, ...], str], tuple[Mapping[str, str], ...]]
    groups: tuple[TriedGroup, ...] = ()

    @property
    def tried(self) -> int:
        """Return on how many cases the moves were tried."""
        return sum(len(group.tried) for group in self.groups)

    @property
    def untried(self) -> int:
        """Return how many groups had no case tried before the time was over."""
        return sum(not group.tried for group in self.groups)

    @property
    def failed(self) -> tuple[TriedCase, ...]:
        """Return the cases that could not be moved."""
        return tuple(one for group in self.groups for one in group.tried if one.problem)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing stands in the way as far as was looked."""
        return not self.problems and not self.failed


@dataclass(frozen=True, slots=True)
class Trial:
    """A dry run that is kept: when it was made, and whether no case of the version went on since."""

    dry: DryRun
    made_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class OutdatedKind:
    """Running cases of a version that is no longer the newest of its kind."""

    kind: str
    title: Mapping[str, str]
    source_number: int
    target_number: int
    cases: int
