"""A form on its way through requests: looked at again for what is typed, kept as a draft, handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as __

from yunhe.core.attachments.forms import AttachmentField, AttachmentInput
from yunhe.core.cases import api
from yunhe.core.cases.errors import FieldProblem
from yunhe.core.cases.forms import texts
from yunhe.core.cases.forms.actions import ActionForm, build_form, say, typed_defaults
from yunhe.core.cases.forms.parts import RowsField, row_keys
from yunhe.core.cases.types import MOST_FILES, ActionView, Draft, FieldSpec, FormPage, FormState
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id
from yunhe.ui import signs
from yunhe.ui.cells import Table

SUBMIT, SAVE, REFRESH, LEAVE = "submit", "save", "refresh", "leave"
PREFIX = "do-"
"""Stands before the name of every field of a form where it is sent."""


class Place(Protocol):
    """Which form it is."""

    actor: Actor
    page: FormPage
    notes: list[str]

    @property
    def scope(self) -> str: ...

    def look(self, values: Mapping[str, Any], *, fetch: bool) -> FormState: ...

    def keep(self, values: Mapping[str, Any]) -> Draft: ...


@dataclass(slots=True)
class OpeningPlace:
    """The form that opens a case of a kind; its `scope` is the key that the page was given."""

    kind: str
    scope: str
    actor: Actor
    page: FormPage = field(default_factory=lambda: FormPage(new_id()))
    notes: list[str] = field(default_factory=list)

    def look(self, values: Mapping[str, Any], *, fetch: bool) -> FormState:
        return api.look_at_opening(kind=self.kind, values=values, scope=self.scope, actor=self.actor, fetch=fetch)

    def keep(self, values: Mapping[str, Any]) -> Draft:
        return _noted(self, api.keep_opening(kind=self.kind, scope=self.scope, values=values, actor=self.actor, page=self.page))


@dataclass(slots=True)
class ActionPlace:
    """The form of an action of an obligation that is the actor's."""

    case_id: str
    obligation_id: str
    action: str
    actor: Actor
    page: FormPage = field(default_factory=lambda: FormPage(new_id()))
    notes: list[str] = field(default_factory=list)

    @property
    def scope(self) -> str:
        return api.action_scope(obligation_id=self.obligation_id, action=self.action)

    def look(self, values: Mapping[str, Any], *, fetch: bool) -> FormState:
        return api.look_at_action(**self._named(), values=values, fetch=fetch)

    def keep(self, values: Mapping[str, Any]) -> Draft:
        return _noted(self, api.keep_action(**self._named(), values=values, page=self.page))

    def _named(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "obligation_id": self.obligation_id, "action": self.action, "actor": self.actor}


@dataclass(slots=True)
class Filling:
    """What a page shows of a form: the form, what is typed, the draft it came from, and what there is to say about it.

    `beside` are other texts of the same form, each with how it differs from what is typed.
    """

    form: ActionForm
    typed: Mapping[str, Any]
    page: FormPage
    step: str = ""
    draft: Draft | None = None
    fresh: bool = False
    wrong: tuple[FieldProblem, ...] = ()
    notes: list[str] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    beside: list[tuple[Draft, Table]] = field(default_factory=list)


def show(offered: ActionView, place: Place, names: Mapping[str, str]) -> Filling:
    """Return a form as it is opened: with what the person kept of it, else with its defaults. Nothing is fetched."""
    draft, beside = api.find_drafts(scope=place.scope, actor=place.actor)
    typed = dict(draft.values) if draft else typed_defaults(offered)
    form = build_form(offered, names=names, values=typed, state=_look(place, offered, typed, fetch=False), actor=place.actor)
    filling = Filling(form, typed, FormPage(place.page.stamp, draft.stamp if draft else ""), draft=draft)
    filling.beside = _compared(beside, filling, offered, names, place.actor)
    if draft:
        _adapt(filling, offered, draft)
    return filling


def take(request: HttpRequest, offered: ActionView, place: Place, names: Mapping[str, str]) -> Filling:
    """Return a form as it was sent: files stored, fields as they are for what is typed, values fetched.

    Bound when it is to be handed in; drawn with what is typed when it only was looked at again or kept. A newer draft
    from another page makes way for what is handed in: it stays beside, and the person is told.
    """
    place.page = FormPage(request.POST.get("page", "")[:26], request.POST.get("made_from", "")[:26])
    posted = request.POST.copy()
    edited = edit_rows(posted, offered)
    step = REFRESH if edited else request.POST.get("step", SUBMIT)
    refused = store_files(request, offered, posted, place.actor) if step != LEAVE else {}
    typed = build_form(offered, posted, names, actor=place.actor).typed()
    state = _look(place, offered, typed, fetch=step in (SUBMIT, REFRESH))
    drawn: dict[str, Any] = {"values": typed, "state": state, "actor": place.actor}
    if step == SUBMIT:
        form = build_form(offered, posted, names, **drawn)
        for name, told in refused.items():
            form.add_error(name if name in form.fields else None, told)
    else:
        form = build_form(offered, names=names, **drawn)
    filling = Filling(form, typed, place.page, step=step, fresh=state.fresh, wrong=state.problems)
    place.notes = filling.notes
    if edited:
        edited.begin_in(form)
        filling.notes.append(edited.said)
    if step == SUBMIT and form.overtaken:
        filling.fresh = True
        filling.notes.append(__("名单有变动，请核对“%(fields)s”后再提交。") % {"fields": signs.listed(form.overtaken)})
    filling.dropped = _unasked(posted, offered)
    if filling.dropped and step == SUBMIT:
        filling.fresh = True
        filling.notes.append(__("您填写的时候，这份表单有了新的版本。请核对后再提交。"))
    if step == SUBMIT:
        if api.make_way(scope=place.scope, values=typed, actor=place.actor, page=place.page):
            messages.warning(request, __("在别处保存过更新的草稿。它没有被删除，在“提出办件”的列表里。"))
        beside = api.find_drafts(scope=place.scope, actor=place.actor)[1]
        filling.beside = _compared(beside, filling, offered, names, place.actor)
    filling.notes += [message for told in refused.values() for message in told] if step != SUBMIT else []
    if step == SUBMIT and state.fresh:
        filling.notes.append(__("已从共享数据取得内容，请核对后再提交。"))
    return filling


@dataclass(frozen=True, slots=True)
class RowEdit:
    """A row that was added to a table of a form, or taken out of it: where one goes on, and what there is to say."""

    field: str
    place: int
    said: str

    def begin_in(self, form: ActionForm) -> None:
        """Do put the focus of the form there."""
        table = form.fields.get(self.field)
        if isinstance(table, RowsField):
            table.begin = self.place


def edit_rows(posted: Any, offered: ActionView) -> RowEdit | None:
    """Do what a button of a table asks: add a row, or take one out of what was sent. Returns None where none was pressed."""
    verb, _sign, rest = posted.get("row", "").partition(":")
    name, _sign, key = rest.partition(":")
    spec = next((one for one in offered.fields if one.type == "rows" and one.name == name), None)
    if spec is None:
        return None
    keys = row_keys(posted, f"{PREFIX}{name}")
    place, last = keys.index(key) if key in keys else 0, len(keys) - 1
    if verb == "drop" and key in keys:
        posted.setlist(f"{PREFIX}{name}", [one for one in keys if one != key])
        return RowEdit(name, max(min(place, last - 1), 0), __("已删除第 %(n)s 行。") % {"n": place + 1})
    if verb == "add" and len(keys) < spec.max_items:
        posted.setlist(f"{PREFIX}{name}", [*keys, str(max(map(int, keys), default=-1) + 1)])
        return RowEdit(name, last + 1, __("已增加第 %(n)s 行。") % {"n": last + 2})
    return RowEdit(name, max(last, 0), __("最多 %(n)s 行。") % {"n": spec.max_items})


def hand_in(filling: Filling, place: Place, run: Callable[[dict[str, Any]], Any]) -> Any:
    """Do `run` with what is filled in; what is refused is kept as a draft and shown again. Returns None then."""
    done = None if filling.fresh or filling.form.errors else filling.form.submit(run, also=("refused",))
    if done is None:
        filling.form.refuse_also(() if filling.fresh else filling.wrong)
        try:
            filling.draft = place.keep(filling.typed)
        except YunheError:  # what cannot be kept still stands in the page
            filling.draft = None
    return done


def _unasked(posted: Any, offered: ActionView) -> list[tuple[str, str]]:
    """Return what was typed into fields that the form does not have any more."""
    declared = {spec.name for spec in offered.fields}
    sent = ((name.removeprefix(PREFIX), posted.getlist(name)) for name in posted if name.startswith(PREFIX))
    return [(name, signs.listed(told)) for name, told in sent if any(told) and name.partition("__")[0] not in declared]


def _noted(place: Place, draft: Draft) -> Draft:
    """Return the draft; that it was put beside a newer one is said."""
    if draft.beside:
        place.notes.append(__("在别处保存过更新的草稿。刚才填写的没有覆盖它，已另存为一份。"))
    return draft


def _compared(
    beside: Sequence[Draft], filling: Filling, offered: ActionView, names: Mapping[str, str], actor: Actor
) -> list[tuple[Draft, Table]]:
    """Return the other texts of a form, each with how it differs from what is typed."""
    if not beside:
        return []
    fields = {spec.name: spec for spec in offered.fields}
    return [(one, texts.compare(one.values, filling.typed, fields, actor=actor, names=names, labels=offered.labels)) for one in beside]


def _look(place: Place, offered: ActionView, typed: Mapping[str, Any], *, fetch: bool) -> FormState:
    """Return how the api sees the form, where that can differ from what is declared."""
    if not any(one.when or one.source or one.element for f in offered.fields for one in (f, *f.fields)):
        problems = api.check_values(offered.fields, typed, partial=True)[1]
        return FormState(problems=tuple(one for one in problems if one.code != "not_subset"))  # the case's own list is not at hand here
    return place.look(typed, fetch=fetch)


def store_files(request: HttpRequest, offered: ActionView, posted: Any, actor: Actor) -> dict[str, list[str]]:
    """Store the files that came with the form itself, and name them in it; return what was refused, by field."""
    refused: dict[str, list[str]] = {}
    for spec in offered.fields:
        name = f"do-{spec.name}"
        if spec.type != "attachments" or f"{name}__file" not in request.FILES:
            continue
        kept = AttachmentField(purpose=spec.name, most=min(spec.max_items, MOST_FILES), required=False)
        kept.act_as(actor)
        sent = AttachmentInput().value_from_datadict(request.POST, request.FILES, name)
        try:
            kept.clean(sent)
        except ValidationError as error:
            refused[spec.name] = list(error.messages)
        posted.setlist(name, [*sent.ids, *kept.widget.stored])
    return refused


def _adapt(filling: Filling, offered: ActionView, draft: Draft) -> None:
    """Say what of a draft has no place any more: the kind got a new version, or files were cleaned away."""
    declared = {spec.name: spec for spec in offered.fields}
    known = api.fields_of_draft(draft)
    for name, value in draft.values.items():
        if name not in declared:
            title = say(known[name].title.as_mapping()) if name in known else name
            filling.dropped.append((title, texts.say_plain(value)))
    gone = sum(_gone(spec, draft, filling) for spec in offered.fields if spec.type == "attachments")
    if gone:
        filling.notes.append(__("有 %(n)s 个文件存放过久，已被清理，请重新上传。") % {"n": gone})


def _gone(spec: FieldSpec, draft: Draft, filling: Filling) -> int:
    ids = draft.values.get(spec.name)
    kept = filling.form.fields.get(spec.name)
    if not isinstance(ids, list) or not isinstance(kept, AttachmentField):
        return 0
    return len(ids) - len(kept.held(ids))
