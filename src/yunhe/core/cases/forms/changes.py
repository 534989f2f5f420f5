"""The form of a change of procedure: a part for each position where cases stand, filled from a plan and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.panels.changes import LIMITS, Versions, obligation_title, phase_title
from yunhe.core.cases.types import BUILT_IN, KindSpec, Migration, Move
from yunhe.ui.forms import YunheForm

MOST_ROWS = 30
Pair = tuple[str, str]


class ReasonForm(YunheForm):
    """Why the procedure of running cases changes; the second person and each case's timeline show it."""

    reason = forms.CharField(
        label=_("变更原因"), max_length=500, help_text=_("第二人和每件办件的经过都会看到。"), widget=forms.Textarea(attrs={"rows": 2})
    )


class WholePhaseForm(YunheForm):
    """An obligation that every position of a phase gets."""

    def __init__(self, data: Any = None, *, versions: Versions, prefix: str) -> None:
        super().__init__(data, prefix=prefix)
        self.fields["add"] = _choice(_("本阶段各组都增开"), _addable(versions.new), first="—")
        self.fields["organization"] = _choice(_("单位"), versions.bodies, first=_("由流程决定"))

    def pairs(self) -> tuple[Pair, ...]:
        """Return what is to be added, if anything."""
        return ((self.cleaned_data["add"], self.cleaned_data["organization"]),) if self.cleaned_data["add"] else ()


class MoveForm(YunheForm):
    """What happens to the cases of one position. Rows for what is added and cancelled: those that are filled, and an empty one."""

    def __init__(self, data: Any = None, *, move: Move, versions: Versions, plan: Migration) -> None:
        super().__init__(data, prefix=key_of(move))
        self.move, self.versions = move, versions
        self.names = tuple(dict.fromkeys((*move.obligations, *move.renames)))  # what comes again is named there, too
        self._offer_ways(plan)
        for place, name in enumerate(self.names):
            self._offer_names(place, name)
        for row in range(self._rows("add", len(move.add))):
            name, body = move.add[row] if row < len(move.add) else ("", "")
            self.fields[f"add_{row}"] = _choice(_("增开待办"), _addable(versions.new), first="—", initial=name)
            self.fields[f"add_{row}_organization"] = _choice(_("单位"), versions.bodies, first=_("由流程决定"), initial=body)

    def read(self) -> Move:
        """Return the move that was filled in."""
        told = self.cleaned_data
        renames = {name: told[f"as_{place}"] or name for place, name in enumerate(self.names)}
        gone = [(name, "") for place, name in enumerate(self.names) if not told[f"as_{place}"]]
        gone += [(name, body) for place, name in enumerate(self.names) for body in self._dropped(place)]
        added = tuple(dict.fromkeys((told[f"add_{row}"], told[f"add_{row}_organization"]) for row in self._filled("add")))
        return replace(
            self.move, choice=told["choice"], to_phase=told["phase"], renames=renames, cancel=tuple(gone), add=added, limits=told["limits"]
        )

    def _offer_ways(self, plan: Migration) -> None:
        ways = {
            "move": _("移到第 %(n)s 版") % {"n": plan.target_number},
            "keep": _("留在第 %(n)s 版") % {"n": plan.source_number},
        }
        self.fields["choice"] = forms.ChoiceField(
            label=_("如何处理"), choices=list(ways.items()), widget=forms.RadioSelect(attrs={"class": "form-check-input"}), initial=self.move.choice
        )
        phases = {phase.code: phase_title(self.versions.new, phase.code) for phase in self.versions.new.phases}
        offered = _with(phases, self.move.to_phase, phase_title(self.versions.old, self.move.to_phase))
        self.fields["phase"] = _choice(_("转到阶段"), offered, required=True, initial=self.move.to_phase)
        known = {code: title for code, title in LIMITS.items() if code != "restore" or plan.undoes}
        self.fields["limits"] = _choice(_("时限"), known, required=True, initial=self.move.limits)

    def _offer_names(self, place: int, name: str) -> None:
        old, new = self.versions.old, self.versions.new
        whole = (name, "") in self.move.cancel
        to = "" if whole else self.move.renames.get(name, name)
        told = _("“%(name)s”对应") if name in self.move.obligations else _("“%(name)s”的下一期对应")
        label = told % {"name": obligation_title(old, name)}
        names = {code: obligation_title(new, code) for code in (*new.obligations, *(BUILT_IN.keys() & {name}))}
        self.fields[f"as_{place}"] = _choice(label, _with(names, to, obligation_title(old, name)), first=_("取消这项待办"), initial=to)
        if not asks_each(old, name):
            return
        dropped = [body for one, body in self.move.cancel if one == name and body]
        for row in range(self._rows(f"drop_{place}", len(dropped))):
            body = dropped[row] if row < len(dropped) else ""
            label = _("“%(name)s”只取消一个单位") % {"name": obligation_title(old, name)}
            self.fields[f"drop_{place}_{row}"] = _choice(label, self.versions.bodies, first="—", initial=body)

    def _rows(self, name: str, filled: int) -> int:
        """Return how many rows there are: as many as were posted, else the filled ones and one more."""
        posted = sum(1 for row in range(MOST_ROWS) if self.add_prefix(f"{name}_{row}") in self.data)
        return posted if self.is_bound else min(filled + 1, MOST_ROWS)

    def _filled(self, name: str) -> Iterator[int]:
        return (row for row in range(MOST_ROWS) if self.cleaned_data.get(f"{name}_{row}"))

    def _dropped(self, place: int) -> list[str]:
        return [self.cleaned_data[f"drop_{place}_{row}"] for row in self._filled(f"drop_{place}")]


@dataclass(slots=True)
class PlanForm:
    """All parts of a plan. `fresh`: positions that came up after the page was shown, so nobody chose for them yet."""

    plan: Migration
    versions: Versions
    data: Mapping[str, Any] | None = None
    forms: tuple[MoveForm, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.forms = tuple(self._form(move) for move in self.plan.moves)

    @property
    def fresh(self) -> frozenset[str]:
        return frozenset(form.prefix or "" for form in self.forms if self.data is not None and not form.is_bound)

    def whole(self, phase: str) -> WholePhaseForm:
        """Return the form of what a whole phase gets."""
        return WholePhaseForm(self.data, versions=self.versions, prefix=f"all-{phase}")

    def read(self) -> Migration | None:
        """Return the plan as it was filled in; None where a value is not among what is offered."""
        if any(form.errors for form in self.forms if form.is_bound):
            return None
        moves = (form.read() if form.is_bound else form.move for form in self.forms)
        return replace(self.plan, moves=tuple(self._with_whole(move) for move in moves))

    def _with_whole(self, move: Move) -> Move:
        whole = self.whole(move.phase)
        if self.data is None or whole.add_prefix("add") not in self.data or not whole.is_valid():
            return move
        return replace(move, add=tuple(dict.fromkeys((*move.add, *whole.pairs()))))

    def _form(self, move: Move) -> MoveForm:
        posted = self.data if self.data is not None and f"{key_of(move)}-choice" in self.data else None
        return MoveForm(posted, move=move, versions=self.versions, plan=self.plan)


def key_of(move: Move) -> str:
    """Return the name of a position in addresses and forms."""
    return f"at-{api.digest_of([move.phase, *move.obligations, *filter(None, [move.origin])])[:12]}"


def asks_each(spec: KindSpec, name: str) -> bool:
    """Tell whether the obligation is opened for each organisation of a list."""
    known = spec.obligations.get(name)
    return known is not None and known.who.organization == "each"


def _addable(spec: KindSpec) -> dict[str, str]:
    """Return the obligations that can be opened beside others; a sub-case cannot."""
    return {name: obligation_title(spec, name) for name, one in spec.obligations.items() if not one.child}


def _with(offered: Mapping[str, str], present: str, title: str) -> dict[str, str]:
    """Return what is offered, with what stands there now even where the new version does not know it."""
    if not present or present in offered:
        return {**offered}
    return {present: __("%(name)s（新版本没有）") % {"name": title}, **offered}


def _choice(label: Any, offered: Mapping[str, str], *, first: Any = None, required: bool = False, initial: str = "") -> forms.ChoiceField:
    choices = [*([("", first)] if first is not None else []), *offered.items()]
    return forms.ChoiceField(label=label, choices=choices, required=required, initial=initial, widget=forms.Select(attrs={"class": "form-select"}))
