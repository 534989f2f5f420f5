"""The file in which a plan of a change of procedure is kept and corrected by hand: its one shape."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Pair = tuple[str, str]


class MoveModel(BaseModel):
    """One group of a plan file; see `Move`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    phase: str
    obligations: tuple[str, ...]
    choice: Literal["move", "keep"]
    to_phase: str = ""
    renames: dict[str, str] = Field(default_factory=dict)
    cancel: tuple[Pair, ...] = ()
    add: tuple[Pair, ...] = ()
    cases: int = Field(default=0, ge=0)
    limits: Literal["keep", "recount", "restore"] = "keep"
    origin: str = ""
    left_out: tuple[str, ...] = ()


class PlanModel(BaseModel):
    """A plan file: a kind, the versions, what happens to each group; `undoes`: the change from which it leads back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    source: int = Field(alias="from")
    to: int
    moves: tuple[MoveModel, ...]
    undoes: str = ""
