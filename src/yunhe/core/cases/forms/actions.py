"""The form of an action, drawn from the kind's declared fields; the api alone says what is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.attachments.forms import AttachmentField
from yunhe.core.cases.errors import FieldProblem, FieldsInvalid
from yunhe.core.cases.types import MOST_FILES, ActionView, Case, FieldElement, FieldSpec, FormState, Member, Sourced
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.ui import times
from yunhe.ui.forms import YunheForm

MOST_CHOICES = 60
MOST_CODES = 400
PART = "__"
PLAIN = FormState()


class ActionForm(YunheForm):
    """The fields of one action. Values go to the api as they were typed; its problems come back to them."""

    specs: tuple[FieldSpec, ...] = ()
    options: Mapping[str, tuple[str, ...]] = {}

    def values(self) -> dict[str, Any]:
        """Return what was filled in, by the names of the declared fields."""
        return {spec.name: self._value(spec) for spec in self.specs}

    def typed(self) -> dict[str, Any]:
        """Return what was sent, right or wrong, by the names of the declared fields: what a draft keeps."""
        self.cleaned_data = {name: self[name].data for name in self.fields}
        return {spec.name: _plain(self._value(spec)) for spec in self.specs}

    @property
    def slots(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields in order; one that can come and go has a name for its place, also while it is away."""
        places = []
        for spec in self.specs:
            names = [name for name in self.fields if name == spec.name or name.startswith(f"{spec.name}{PART}")]
            moving = bool(spec.when or spec.source or spec.reason_for)
            places.append((f"slot-{spec.name}" if moving else "", [self[name] for name in names]))
        return places

    @property
    def fetches(self) -> bool:
        """Tell whether shared data fills in a field of the form."""
        return any(spec.source for spec in self.specs)

    @property
    def moving(self) -> str:
        """Return the places that change when a field that steers others does, as a list of selectors; "" if none does."""
        return ",".join(f"#{place}" for place, _fields in self.slots if place)

    def refuse(self, error: YunheError) -> None:
        """Show each problem of the api at its field, everything else on top."""
        if not isinstance(error, FieldsInvalid):
            super().refuse(error)
            return
        for problem in error.problems:
            self.add_error(self._place(problem), problem.say(get_language() or "zh"))

    def _place(self, problem: FieldProblem) -> str | None:
        name = problem.field.split("[")[0].split(".")[0]
        return next((held for held in (name, f"{name}{PART}0") if held in self.fields), None)

    def _value(self, spec: FieldSpec) -> Any:
        if spec.type == "map" and spec.name not in self.fields:
            chosen = ((key, self.cleaned_data.get(f"{spec.name}{PART}{place}")) for place, key in self._keys(spec))
            return {key: value for key, value in chosen if value}
        value = self.cleaned_data.get(spec.name)
        if spec.type == "list" and isinstance(value, str):
            return [line.strip() for line in value.splitlines() if line.strip()]
        if spec.type == "map" and isinstance(value, str):
            pairs = (line.partition("=") for line in value.splitlines() if line.strip())
            return {name.strip(): said.strip() for name, _sign, said in pairs}
        return value

    def _keys(self, spec: FieldSpec) -> list[tuple[int, str]]:
        return list(enumerate(self.options.get(spec.name, ())))


class AbsenceForm(YunheForm):
    """Who acts for one while one is away (代办)."""

    to_username = forms.ChoiceField(label=_("代办人"))
    since = forms.DateField(label=_("自"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    until = forms.DateField(label=_("至（含当日）"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    reason = forms.CharField(label=_("原因"), max_length=500)
    kinds = forms.MultipleChoiceField(
        label=_("代办的办件类型"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("不选即全部。")
    )

    def __init__(self, *args: Any, colleagues: Mapping[str, str], kinds: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind_field = self.fields["kinds"]
        assert isinstance(kind_field, forms.MultipleChoiceField)
        kind_field.choices = list(kinds.items())
        chosen = self.fields["to_username"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", "—"), *colleagues.items()]


class MembersForm(YunheForm):
    """Which waiting cases go on the list of a batch, and which come off it."""

    add = forms.MultipleChoiceField(label=_("列入清单"), required=False, widget=forms.CheckboxSelectMultiple)
    drop = forms.MultipleChoiceField(label=_("移出清单"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, waiting: Sequence[Case], listed: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in (("add", waiting), ("drop", listed)):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.MultipleChoiceField)
            chosen.choices = [(one.number, f"{one.title}（{one.number}）") for one in found]
            if not found:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Return both lists; a part that is not shown is empty."""
        return {"add": [], "drop": [], **self.cleaned_data}


class FindForm(YunheForm):
    """Further filters of the list of cases. What a filter may be comes with it; one without choices is left out."""

    due = forms.ChoiceField(label=_("到期"), required=False)
    organization = forms.ChoiceField(label=_("申请或办理单位"), required=False)
    person = forms.ChoiceField(label=_("现在由谁办理"), required=False)
    phase = forms.ChoiceField(label=_("环节"), required=False)
    obligation = forms.ChoiceField(label=_("待办事项"), required=False)

    @classmethod
    def of(cls, *, wanted: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]) -> FindForm:
        """Return the form with what is chosen now."""
        made = cls(initial=dict(wanted))
        for name, offered in choices.items():
            chosen = made.fields[name]
            assert isinstance(chosen, forms.ChoiceField)
            chosen.choices = [("", "—"), *offered.items()]
            if not offered:
                del made.fields[name]
        return made


class HandOverForm(YunheForm):
    """To whom goes what a person holds (移交)."""

    person = forms.ChoiceField(label=_("谁手里的待办"))
    to = forms.ChoiceField(label=_("移交给"), required=False, help_text=_("不选则退还给岗位，由有该岗位的人办理。"))
    reason = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, people: Mapping[str, str], takers: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, none, offered in (("person", "—", people), ("to", _("退还给岗位"), takers)):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.ChoiceField)
            chosen.choices = [("", none), *offered.items()]


def build_form(
    action: ActionView,
    data: Any = None,
    names: Mapping[str, str] | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    state: FormState = PLAIN,
    actor: Actor | None = None,
) -> ActionForm:
    """Return the form of an action, filled with `values`, else with its defaults.

    `names` are what people read for its options; `state` is how the api sees the form for what is filled in;
    `actor` hands files in.
    """
    shown = [spec for spec in action.fields if spec.name not in state.hidden]
    known = action.defaults if values is None else {**action.defaults, **values}
    fields = {name: field for spec in shown for name, field in _fields(spec, action, names or {}, known, state)}
    for field in fields.values():
        if isinstance(field, AttachmentField) and actor:
            field.act_as(actor)
    steering = _steering(action.fields)
    for name, field in fields.items():
        if name in steering:
            field.widget.attrs["data-steers"] = ""
    made = type("BuiltActionForm", (ActionForm,), {**fields, "specs": action.fields, "options": action.options})
    form: ActionForm = made(data, prefix="do")
    return form


def _steering(specs: tuple[FieldSpec, ...]) -> set[str]:
    """Return the fields on which others of the form depend."""
    conditions = [text for s in specs for text in (s.when, s.source.when if s.source else "")]
    asked = [told.removeprefix("form.") for s in specs if s.source for told in s.source.arguments.values()]
    return {name for text in conditions for name in re.findall(r"\bform_(\w+)", text)} | set(asked)


def _plain(value: Any) -> Any:
    return list(value.ids) if hasattr(value, "ids") else value


def _fields(
    spec: FieldSpec, action: ActionView, names: Mapping[str, str], known: Mapping[str, Any], state: FormState
) -> Iterator[tuple[str, forms.Field]]:
    options = action.options.get(spec.name, ())
    sourced, element = state.sourced.get(spec.name), state.elements.get(spec.element)
    told = {
        "label": say(spec.title.as_mapping()),
        "required": spec.required or any(f.name == spec.reason_for and f.required for f in action.fields),
        "help_text": say(spec.help.as_mapping()) if spec.help else "",
        "initial": known.get(spec.name),
    }
    if sourced and sourced.state in ("found", "waiting"):
        yield spec.name, _shared_field(spec, sourced, element, told)
        return
    if sourced:
        told["help_text"] = _why_by_hand(sourced)
    if spec.type == "map" and spec.choices and len(options) <= MOST_CHOICES:
        chosen = known.get(spec.name)
        for place, option in enumerate(options):
            label = __("%(name)s：%(value)s") % {"name": told["label"], "value": names.get(option, option)}
            initial = chosen.get(option) if isinstance(chosen, Mapping) else None
            yield f"{spec.name}{PART}{place}", forms.ChoiceField(choices=_choices(spec), required=False, label=label, initial=initial)
        return
    labels = {code: say(texts) for code, texts in action.labels.get(spec.name, {}).items()} or names
    codes = {code: say(title) for code, title in element.choices.items()} if element else {}
    yield spec.name, _field(spec, {option: labels.get(option, option) for option in options}, codes, told)


def _field(spec: FieldSpec, options: Mapping[str, str], codes: Mapping[str, str], told: dict[str, Any]) -> forms.Field:
    if spec.type == "attachments":
        most = min(spec.max_items, MOST_FILES)
        return AttachmentField(purpose=spec.name, most=most, **told)
    if spec.type == "choice":
        return forms.ChoiceField(choices=_choices(spec), **told)
    if codes and len(codes) <= MOST_CODES:
        return forms.ChoiceField(choices=[("", "—"), *codes.items()], **told)
    if spec.type == "boolean":
        return forms.BooleanField(**{**told, "required": False})
    if spec.type == "list" and options and spec.max_items == 1:
        return forms.ChoiceField(choices=[("", "—"), *options.items()], **{**told, "initial": next(iter(told["initial"] or ()), "")})
    if spec.type == "list" and options and len(options) <= MOST_CHOICES:
        return forms.MultipleChoiceField(choices=list(options.items()), widget=forms.CheckboxSelectMultiple, **told)
    if spec.format in ("organization", "person", "role", "kind") and spec.type == "text":
        return forms.ChoiceField(choices=[("", "—"), *options.items()], **told)
    if spec.type in ("list", "map"):
        return _lines_field(spec, told)
    return forms.CharField(widget=_widget(spec), max_length=spec.max_length, **told)


def _lines_field(spec: FieldSpec, told: dict[str, Any]) -> forms.Field:
    held = told["initial"]
    if isinstance(held, Mapping):
        held = [f"{name}={value}" for name, value in held.items()]
    lines = "\n".join(map(str, held)) if isinstance(held, list | tuple) else held or ""
    help_text = told["help_text"] or (_("每行一项。") if spec.type == "list" else _("每行一项，写作 名称=值。"))
    return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **{**told, "initial": lines, "help_text": help_text})


class SharedValue(forms.Widget):
    """A value that only the server knows and sets: it is shown, never sent."""

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        told = {**(attrs or {})}
        described = format_html(' aria-describedby="{}"', told["aria-describedby"]) if told.get("aria-describedby") else ""
        return format_html('<output class="yh-shared" id="{}"{}>{}</output>', told.get("id", ""), described, value or "—")


def _shared_field(spec: FieldSpec, sourced: Sourced, element: FieldElement | None, told: dict[str, Any]) -> forms.Field:
    shown = say_value(spec, sourced.value, element) if sourced.state == "found" else ""
    told = {**told, "initial": shown, "required": True, "help_text": _where_from(sourced)}
    return forms.CharField(widget=SharedValue(), disabled=True, **told)


def _where_from(sourced: Sourced) -> str:
    if sourced.receipt is None:
        if sourced.waits_for:
            return __("由共享数据取得：先填好上面所需的内容。")
        return __("由共享数据取得：点“取数”。")
    facts = {"source": say(sourced.receipt.title), "at": times.say_time(sourced.receipt.at), "evidence": sourced.receipt.evidence_id}
    return __("取自%(source)s，%(at)s，存证 %(evidence)s。内容不能改动。") % facts


def _why_by_hand(sourced: Sourced) -> str:
    receipt = sourced.receipt
    if sourced.state == "absent" and receipt:
        return __("%(source)s里没有这条记录。可以手工填写，并说明理由。") % {"source": say(receipt.title)}
    said = say(receipt.problem) if receipt and receipt.problem else ""
    return __("共享数据现在取不到：%(why)s可以手工填写，并说明理由。") % {"why": said}


def say_value(spec: FieldSpec, value: Any, element: FieldElement | None = None) -> str:
    """Return a value of a field as people read it."""
    if isinstance(value, bool):
        return __("是") if value else __("否")
    if element and value in element.choices:
        return say(element.choices[value])
    return next((say(c.title.as_mapping()) for c in spec.choices if c.value == value), str(value))


def _widget(spec: FieldSpec) -> forms.Widget:
    if spec.type == "date":
        return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    if spec.type in ("integer", "decimal"):
        return forms.TextInput(attrs={"inputmode": "numeric" if spec.type == "integer" else "decimal"})
    return forms.Textarea(attrs={"rows": 3}) if spec.multiline else forms.TextInput()


def _choices(spec: FieldSpec) -> list[tuple[str, Any]]:
    said = [(choice.value, say(choice.title.as_mapping())) for choice in spec.choices]
    return [("", _("按约定")), *said] if spec.type == "map" else [("", "—"), *said]


def say(texts: Mapping[str, str]) -> str:
    """Return a text of a pack in the page's language."""
    return texts["en"] if (get_language() or "zh")[:2] == "en" else texts["zh"]


def say_all(parts: Iterable[str]) -> str:
    """Return several things said in one line."""
    return ("; " if (get_language() or "zh")[:2] == "en" else "；").join(parts)
