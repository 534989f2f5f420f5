"""The form of an action, drawn from the kind's declared fields; the api alone says what is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.attachments.forms import AttachmentField
from yunhe.core.cases.errors import FieldProblem, FieldsInvalid
from yunhe.core.cases.forms.parts import JsonField, LinesField, MapField, RowsField, TickField, plain_value, written
from yunhe.core.cases.rules.values import SAYINGS
from yunhe.core.cases.types import MOST_FILES, ActionView, Case, FieldElement, FieldSpec, FormState, Member, Sourced
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.ui import signs, times
from yunhe.ui.forms import YunheForm

MOST_CHOICES = 60
MOST_CODES = 400
PLAIN = FormState()
CHOOSE = _("请选择")
"""What a list of choices says before one is chosen."""
PATH = re.compile(r"(\w+)(?:\[(\d+)\](?:\.(\w+))?)?")
"""How the api names a value: a field, the place of an item in it, the column of that row."""


class ActionForm(YunheForm):
    """The fields of one action. Values go to the api as they were typed; its problems come back to them."""

    specs: tuple[FieldSpec, ...] = ()
    asked_for_each: frozenset[str] = frozenset()
    """Fields that ask something for each name of a list of the same form."""

    def values(self) -> dict[str, Any]:
        """Return what was filled in, by the names of the declared fields."""
        return {spec.name: plain_value(spec, self.cleaned_data.get(spec.name)) for spec in self.specs}

    def typed(self) -> dict[str, Any]:
        """Return what was sent, right or wrong, by the names of the declared fields: what a draft keeps."""
        sent = {name: self[name].data for name in self.fields}
        return {spec.name: plain_value(spec, sent.get(spec.name)) for spec in self.specs}

    @property
    def slots(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields in order; one that can come and go, or change, has a name for its place, also while it is away."""
        return [
            (f"slot-{spec.name}" if spec.type == "rows" or self._is_steered(spec) else "", [self[spec.name]] if spec.name in self.fields else [])
            for spec in self.specs
        ]

    @property
    def fetches(self) -> bool:
        """Tell whether shared data fills in a field of the form."""
        return any(spec.source for spec in self.specs)

    @property
    def moving(self) -> str:
        """Return the places that change when a field that steers others does, as a list of selectors; "" if none does."""
        return ",".join(f"#slot-{spec.name}" for spec in self.specs if self._is_steered(spec))

    @property
    def has_rows(self) -> bool:
        """Tell whether the form holds a table, which has buttons of its own."""
        return any(isinstance(field, RowsField) for field in self.fields.values())

    @property
    def overtaken(self) -> list[str]:
        """Return the labels of fields that were drawn for other names than the form's list holds now."""
        asked = {name: self.fields.get(name) for name in self.asked_for_each}
        return [str(field.label) for name, field in asked.items() if isinstance(field, MapField) and field.is_overtaken(self[name].data)]

    def refuse(self, error: YunheError) -> None:
        """Show each problem of the api at its field, everything else on top."""
        if not isinstance(error, FieldsInvalid):
            super().refuse(error)
            return
        for problem in error.problems:
            self._refuse_field(problem, problem.say(get_language() or "zh"))

    def refuse_also(self, problems: Iterable[FieldProblem]) -> None:
        """Show what is wrong with what was filled in beside what is missing, so that it is mended in one go."""
        for problem in problems:
            found = PATH.match(problem.field)
            if found and found[1] in self.fields and found[1] not in self.errors:
                self._refuse_field(problem, problem.say(get_language() or "zh"))

    def _refuse_field(self, problem: FieldProblem, said: str) -> None:
        """Show a problem at its field, or at that input of the field which it is about."""
        found = PATH.match(problem.field)
        name, place, column = found.groups() if found else ("", None, None)
        field = self.fields.get(name)
        if isinstance(field, RowsField) and place is not None and column in field.widget.cells:
            said = field.say_at(field.filled[int(place)], column, said)
        elif isinstance(field, MapField) and place is not None:
            said = field.say_at(int(place), said, self.cleaned_data.get(name) or {})
        elif isinstance(field, RowsField | MapField):
            field.places.append("")
        self.add_error(name if field else None, said)

    def _is_steered(self, spec: FieldSpec) -> bool:
        return bool(spec.when or spec.source or spec.reason_for or spec.name in self.asked_for_each)


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
        chosen.choices = [("", CHOOSE), *colleagues.items()]


class MembersForm(YunheForm):
    """Which waiting cases go on the list of a batch, and which come off it."""

    add = forms.MultipleChoiceField(label=_("列入清单"), required=False, widget=forms.CheckboxSelectMultiple)
    drop = forms.MultipleChoiceField(label=_("移出清单"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, waiting: Sequence[Case], listed: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in (("add", waiting), ("drop", listed)):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.MultipleChoiceField)
            chosen.choices = [(one.number, signs.in_brackets(one.title, one.number)) for one in found]
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
            chosen.choices = [("", _("不限")), *offered.items()]
            if not offered:
                del made.fields[name]
        return made


class HandOverForm(YunheForm):
    """To whom goes what a person holds (移交)."""

    person = forms.ChoiceField(label=_("谁手里的待办"), error_messages={"required": _("请选择移交谁手里的待办。")})
    to = forms.ChoiceField(label=_("移交给"), required=False, help_text=_("不选则退还给岗位，由有该岗位的人办理。"))
    reason = forms.CharField(
        label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": _("请写明为什么移交，它记入每件的经过。")}
    )

    def __init__(self, *args: Any, people: Mapping[str, str], takers: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, none, offered in (("person", CHOOSE, people), ("to", _("退还给岗位"), takers)):
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
    known = {**typed_defaults(action), **(values or {})}
    action, each = _with_lists(action, known)
    fields = {spec.name: _field_of(spec, action, names or {}, known.get(spec.name), state, each) for spec in shown}
    steering = _steering(action.fields) | {spec.subset_of for spec in action.fields if spec.name in each}
    for name, field in fields.items():
        if isinstance(field, AttachmentField) and actor:
            field.act_as(actor)
        if name in steering:
            field.widget.attrs["data-steers"] = ""
    made = type("BuiltActionForm", (ActionForm,), {**fields, "specs": action.fields, "asked_for_each": each})
    form: ActionForm = made(data, prefix="do")
    return form


def typed_defaults(action: ActionView) -> dict[str, Any]:
    """Return the defaults of an action's form as one would have typed them."""
    written_out = {spec.name for spec in action.fields if spec.type == "json"}
    told = {name: value for name, value in action.defaults.items() if value is not None}
    return {name: written(value) if name in written_out else value for name, value in told.items()}


def _with_lists(action: ActionView, known: Mapping[str, Any]) -> tuple[ActionView, frozenset[str]]:
    """Return the action with what lists of its own form offer to other fields, and the maps that ask for each item of one."""
    lists = {spec.name: spec for spec in action.fields if spec.type == "list"}
    asking = (spec for spec in action.fields if spec.type == "map" and spec.subset_of in lists and spec.name not in action.options)
    bound = {spec.name: lists[spec.subset_of] for spec in asking}
    held = {name: plain_value(spec, known.get(spec.name)) for name, spec in bound.items()}
    options = {name: tuple(dict.fromkeys(map(str, items))) if isinstance(items, list) else () for name, items in held.items()}
    labels = {name: action.labels[spec.name] for name, spec in bound.items() if spec.name in action.labels}
    return replace(action, options={**action.options, **options}, labels={**action.labels, **labels}), frozenset(bound)


def _steering(specs: tuple[FieldSpec, ...]) -> set[str]:
    """Return the fields on which others of the form depend."""
    conditions = [text for s in specs for text in (s.when, s.source.when if s.source else "")]
    asked = [told.removeprefix("form.") for s in specs if s.source for told in s.source.arguments.values()]
    return {name for text in conditions for name in re.findall(r"\bform_(\w+)", text)} | set(asked)


def _field_of(
    spec: FieldSpec, action: ActionView, names: Mapping[str, str], value: Any, state: FormState, each: frozenset[str]
) -> forms.Field:
    sourced, element = state.sourced.get(spec.name), state.elements.get(spec.element)
    told = {
        "label": say(spec.title.as_mapping()),
        "required": spec.required or any(f.name == spec.reason_for and f.required for f in action.fields),
        "help_text": say(spec.help.as_mapping()) if spec.help else "",
        "initial": value,
    }
    if sourced and sourced.state in ("found", "waiting"):
        return _shared_field(spec, sourced, element, told)
    if sourced:
        told["help_text"] = _why_by_hand(sourced)
    options = _options_of(spec.name, action, names)
    if spec.type == "rows":
        return _rows_field(spec, action, names, state, told)
    if spec.type == "map" and (spec.name in each or (spec.subset_of and len(options) <= MOST_CHOICES)):
        return _map_field(spec, options, told, own_list=spec.name in each)
    return _field(spec, options, _codes_of(element), told)


def _options_of(name: str, action: ActionView, names: Mapping[str, str]) -> dict[str, str]:
    """Return what a field, or the column `table.column`, is chosen from: what people read by code."""
    labels = {code: say(texts) for code, texts in action.labels.get(name, {}).items()} or names
    return {option: labels.get(option, option) for option in action.options.get(name, ())}


def _codes_of(element: FieldElement | None) -> dict[str, str]:
    return {code: say(title) for code, title in element.choices.items()} if element else {}


def _rows_field(spec: FieldSpec, action: ActionView, names: Mapping[str, str], state: FormState, told: dict[str, Any]) -> forms.Field:
    cells: dict[str, forms.Field] = {}
    for inner in spec.fields:
        options = _options_of(f"{spec.name}.{inner.name}", action, names)
        help_text = say(inner.help.as_mapping()) if inner.help else ""
        of_cell = {"label": say(inner.title.as_mapping()), "required": inner.required, "help_text": help_text, "initial": None}
        cells[inner.name] = _field(inner, options, _codes_of(state.elements.get(inner.element)), of_cell)
    return RowsField(cells=cells, most=spec.max_items, **told)


def _map_field(spec: FieldSpec, options: Mapping[str, str], told: dict[str, Any], *, own_list: bool) -> forms.Field:
    first = "—" if own_list else _("按约定")
    choices = [("", first), *_titles(spec)]
    each = forms.ChoiceField(choices=choices, required=False) if spec.choices else forms.CharField(required=False)
    if own_list and not options:
        told = {**told, "help_text": told["help_text"] or _("先填写名单，再逐项填写。")}
    return MapField(each=each, options=tuple(options), labels=options, **told)


def _field(spec: FieldSpec, options: Mapping[str, str], codes: Mapping[str, str], told: dict[str, Any]) -> forms.Field:
    if spec.type == "attachments":
        most = min(spec.max_items, MOST_FILES)
        return AttachmentField(purpose=spec.name, most=most, **told)
    if spec.type == "choice":
        return forms.ChoiceField(choices=[("", CHOOSE), *_titles(spec)], **told)
    if codes and len(codes) <= MOST_CODES:
        return forms.ChoiceField(choices=[("", CHOOSE), *codes.items()], **told)
    if spec.type == "boolean":
        return TickField(error_messages={"required": say(dict(zip(("zh", "en"), SAYINGS["not_ticked"], strict=True)))}, **told)
    if spec.type == "list" and options and spec.max_items == 1:
        return forms.ChoiceField(choices=[("", CHOOSE), *options.items()], **{**told, "initial": next(iter(told["initial"] or ()), "")})
    if spec.type == "list" and options and len(options) <= MOST_CHOICES:
        return forms.MultipleChoiceField(choices=list(options.items()), widget=forms.CheckboxSelectMultiple, **told)
    if spec.format in ("organization", "person", "role", "kind") and spec.type == "text":
        return forms.ChoiceField(choices=[("", CHOOSE), *options.items()], **told)
    if spec.type in ("list", "map"):
        return _lines_field(spec, told)
    if spec.type == "json":
        return JsonField(**told)
    return forms.CharField(widget=_widget(spec), **told)


def _lines_field(spec: FieldSpec, told: dict[str, Any]) -> forms.Field:
    help_text = told["help_text"] or (_("每行一项。") if spec.type == "list" else _("每行一项，写作 名称=值。"))
    if spec.type == "map" and spec.choices:
        values = say_all(signs.in_brackets(value, title) for value, title in _titles(spec))
        help_text = __("每行一项，写作 名称=值。值是：%(values)s。") % {"values": values}
    return LinesField(widget=forms.Textarea(attrs={"rows": 4}), **{**told, "help_text": help_text})


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


def _titles(spec: FieldSpec) -> list[tuple[str, str]]:
    return [(choice.value, say(choice.title.as_mapping())) for choice in spec.choices]


def say(texts: Mapping[str, str]) -> str:
    """Return a text of a pack in the page's language."""
    return texts["en" if signs.is_english() else "zh"]


def say_all(parts: Iterable[str]) -> str:
    """Return several things said in one line."""
    return signs.several(parts)
