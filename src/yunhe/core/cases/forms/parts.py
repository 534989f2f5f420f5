"""Fields of a form that hold more than one value: the rows of a table, a value for each name, lines of text, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as __

from yunhe.core.cases.types import FieldSpec
from yunhe.ui.forms import dress

PART = "__"
BLANK: tuple[Any, ...] = (None, "", False, [], {})
Attributes = dict[str, Any]


def plain_value(spec: FieldSpec, value: Any) -> Any:
    """Return what a field was filled in with as a draft and the api take it; what is wrong stays as it was typed."""
    if spec.type == "rows" and isinstance(value, list):
        return [{inner.name: plain_value(inner, row.get(inner.name)) for inner in spec.fields} for row in value if isinstance(row, Mapping)]
    if spec.type == "list" and isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    if spec.type == "map" and isinstance(value, str):
        pairs = (line.partition("=") for line in value.splitlines() if line.strip())
        return {name.strip(): said.strip() for name, _sign, said in pairs}
    if spec.type == "map" and isinstance(value, Mapping):
        return {name: said for name, said in value.items() if said}
    return list(value.ids) if hasattr(value, "ids") else value


class TickField(forms.BooleanField):
    """Yes or no by a tick; one that is required must be ticked. It says which of the two it is."""

    says_need = True


class LinesField(forms.CharField):
    """A list or a map as text, one item a line."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            value = [f"{name}={said}" for name, said in value.items()]
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value


class JsonField(forms.CharField):
    """Any JSON value, written as JSON. A text is what was typed; everything else is a value."""

    def __init__(self, **told: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "yh-written"})
        super().__init__(widget=widget, strip=False, **told)

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else written(value)

    def to_python(self, value: Any) -> Any:
        """Return the value. Raises: ValidationError, which says where the text stops being JSON."""
        text = value if isinstance(value, str) else ""
        if not text.strip():
            return None
        try:
            return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno, "found": text[error.pos : error.pos + 1].strip() or "⏎"}
            raise ValidationError(__("第 %(line)s 行第 %(column)s 列起不是正确的 JSON，遇到“%(found)s”。") % place) from error
        except (RecursionError, ValueError) as error:
            raise ValidationError(__("不是可以保存的 JSON：嵌套过深或数字过大。")) from error


def written(value: Any) -> str:
    """Return a JSON value as people read and write it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationError(__("JSON 里的名称“%(name)s”在同一处出现了两次。") % {"name": twice[:80]})
    return told


def _no_number(text: str) -> Any:
    raise ValidationError(__("JSON 里不能有 %(text)s。") % {"text": text})


class PartsBound(forms.BoundField):
    """A field of parts as a template draws it; `anchors` are the ids of the parts that its errors are about, "" for none."""

    field_template = ""

    @property
    def anchors(self) -> list[str]:
        return [self.part_id(place) for place in self.field.places]  # type: ignore[attr-defined]

    def part_id(self, place: str) -> str:
        return f"{self.auto_id}{PART}{place}" if place else ""

    def errors_of(self, place: str) -> list[str]:
        told = zip(self.field.places, self.errors, strict=False)  # type: ignore[attr-defined]
        return [error for at, error in told if at == place]

    def part(self, place: str, held: forms.Field, value: Any, label: str, **attrs: Any) -> dict[str, Any]:
        """Return one input of the field: its HTML, its id, what is wrong with it."""
        key, errors = self.part_id(place), self.errors_of(place)
        told: Attributes = {"id": key, **attrs}
        if errors:
            told |= {"aria-invalid": "true", "aria-describedby": f"{key}_error"}
        name = f"{self.html_name}{PART}{place}"
        if isinstance(held.widget, forms.CheckboxSelectMultiple):
            boxes = held.widget.render(name, held.prepare_value(value), {**told, "id": f"{key}_boxes"})
            group = '<div role="group" id="{}" tabindex="-1" aria-label="{}">{}</div>'
            drawn = format_html(group, key, attrs.get("aria-label", label), boxes)
        else:
            drawn = held.widget.render(name, held.prepare_value(value), told)
        return {"html": drawn, "id": key, "name": name, "label": label, "errors": errors}


class PartsField(forms.Field):
    """A field of several inputs. `places` tell, error by error, the input that each is about."""

    bound: type[PartsBound] = PartsBound

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.places: list[str] = []

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        return self.bound(form, self, field_name)

    def require(self, value: Any) -> None:
        """Do check that there is a value where one is needed. Raises: ValidationError."""
        if self.required and not value:
            self.places.append("")
            raise ValidationError(self.error_messages["required"], code="required")


class RowsInput(forms.Widget):
    """Reads the rows that a form sent: a hidden input of the field's name holds each row's key."""

    input_type = "rows"
    cells: Mapping[str, forms.Field] = {}
    most = 0

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        rows = [f"{name}{PART}{key}{PART}" for key in row_keys(data, name)[: self.most + 1]]
        return [{column: cell.widget.value_from_datadict(data, files, f"{row}{column}") for column, cell in self.cells.items()} for row in rows]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        raise NotImplementedError("its bound field names the template that draws it")


def row_keys(data: Any, name: str) -> list[str]:
    """Return the keys of the rows that a form sent, in order."""
    sent = data.getlist(name) if hasattr(data, "getlist") else data.get(name, ())
    return list(dict.fromkeys(key for key in sent if key.isascii() and key.isdigit() and len(key) < 7))


class RowsBound(PartsBound):
    """A table as a template draws it: columns, and rows of cells. There always is a row to begin in."""

    field: RowsField
    field_template = "cases/_rows.html"

    @property
    def columns(self) -> list[dict[str, Any]]:
        told = self.field.widget.cells.items()
        return [{"label": cell.label, "need": cell.required, "help": cell.help_text, "id": f"{self.auto_id}_{name}"} for name, cell in told]

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        value = self.value()
        rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
        return [self._line(place, row) for place, row in enumerate(rows or [{}])]

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= self.field.widget.most

    def _line(self, place: int, row: Mapping[str, Any]) -> dict[str, Any]:
        cells = []
        for column, (name, cell) in enumerate(self.field.widget.cells.items()):
            label = __("第 %(row)s 行 %(column)s") % {"row": place + 1, "column": cell.label}
            begin = {"autofocus": True} if self.field.begin == place and not column else {}
            told = self.part(f"{place}{PART}{name}", cell, row.get(name), str(cell.label), **{"aria-label": label}, **begin)
            cells.append({**told, "need": cell.required})
        return {"key": str(place), "number": place + 1, "cells": cells}


class RowsField(PartsField):
    """A table that is filled in: a row of inputs for each object, `cells` by column. A row in which nothing is filled in is none.

    `filled` are the places of the rows that count, in order; in the row `begin` the focus starts.
    """

    widget = RowsInput
    bound = RowsBound

    def __init__(self, *, cells: Mapping[str, forms.Field], most: int, **told: Any) -> None:
        super().__init__(**told)
        for cell in cells.values():
            dress(cell.widget)
        self.widget.cells, self.widget.most = cells, most
        self.filled: list[int] = []
        self.begin: int | None = None

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Return the rows in which something is filled in; the api checks the values. Raises: ValidationError."""
        self.filled = [place for place, row in enumerate(value) if any(held not in BLANK for held in row.values())]
        wrong: list[str] = []
        rows = [self._clean_row(place, value[place], wrong) for place in self.filled]
        if wrong:
            raise ValidationError(wrong)
        self.require(rows)
        return rows

    def say_at(self, place: int, column: str, problem: str) -> str:
        """Return what is wrong with a cell as the list of errors says it; it is marked as that cell's."""
        self.places.append(f"{place}{PART}{column}")
        told = {"row": place + 1, "column": self.widget.cells[column].label, "problem": problem}
        return __("第 %(row)s 行“%(column)s”：%(problem)s") % told

    def _clean_row(self, place: int, row: Mapping[str, Any], wrong: list[str]) -> dict[str, Any]:
        clean = dict(row)
        for name, cell in self.widget.cells.items():
            if not isinstance(cell, JsonField):
                continue
            try:
                clean[name] = cell.to_python(row.get(name))
            except ValidationError as error:
                wrong += [self.say_at(place, name, message) for message in error.messages]
        return clean


class MapInput(forms.Widget):
    """Reads a value for each name: every input is sent with the name that it was drawn for."""

    input_type = "map"
    options: tuple[str, ...] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str] | str:
        sent = list(takewhile(lambda place: f"{name}{PART}{place}" in data, count()))
        if not sent:
            return str(data.get(name) or "")
        drawn = dict(enumerate(self.options))
        keys = {place: data.get(f"{name}{PART}{place}{PART}name") or drawn.get(place, "") for place in sent}
        return {key: data.get(f"{name}{PART}{place}") or "" for place, key in keys.items() if key}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}{PART}0" not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        raise NotImplementedError("its bound field names the template that draws it")


class MapBound(PartsBound):
    """A value for each name as a template draws it."""

    field: MapField
    field_template = "cases/_each.html"

    @property
    def entries(self) -> list[dict[str, Any]]:
        value, labels = self.value(), self.field.labels
        held = value if isinstance(value, Mapping) else {}
        told = enumerate(self.field.widget.options)
        return [{**self.part(str(place), self.field.each, held.get(key), labels.get(key, key)), "key": key} for place, key in told]


class MapField(PartsField):
    """A value for each of some names: `each` is the input of one; `labels` are what people read for the names."""

    widget = MapInput
    bound = MapBound

    def __init__(self, *, each: forms.Field, options: Sequence[str], labels: Mapping[str, str], **told: Any) -> None:
        super().__init__(**told)
        dress(each.widget)
        self.each, self.labels = each, labels
        self.widget.options = tuple(options)

    def clean(self, value: Any) -> dict[str, str]:
        """Return the values of the names that there are. Raises: ValidationError."""
        sent = value if isinstance(value, Mapping) else {}
        held = {key: sent[key] for key in self.widget.options if sent.get(key)}
        self.require(held)
        return held

    def is_overtaken(self, sent: Any) -> bool:
        """Tell whether other names were asked for, where the form was drawn, than there are now."""
        drawn = set(sent) if isinstance(sent, Mapping) else set()
        return bool(set(self.widget.options) - drawn) or any(sent[key] for key in drawn - set(self.widget.options))

    def say_at(self, place: int, problem: str, held: Mapping[str, Any]) -> str:
        """Return what is wrong with the value of a name, by its place among those that are filled in."""
        key = list(held)[place] if place < len(held) else ""
        self.places.append(str(self.widget.options.index(key)) if key in self.widget.options else "")
        return __("“%(name)s”：%(problem)s") % {"name": self.labels.get(key, key), "problem": problem}
