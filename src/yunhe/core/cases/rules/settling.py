"""Settle a kind before it is published: what its fields take from elements and sources is written into it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from yunhe.core.cases.rules.conditions import compile_condition
from yunhe.core.cases.rules.fields import scalar_types
from yunhe.core.cases.rules.guards import BUILT_IN, expression_fields
from yunhe.core.cases.types import FieldSpec, KindSpec, TitlesModel
from yunhe.kernel.errors import YunheError

TypeOf = Callable[[str], str | None]
MOST_REASON = 500


def settle_kind(kind: KindSpec, type_of: TypeOf) -> KindSpec:
    """Return the kind with the types of its elements, and beside each field with a source one for a reason.

    `type_of` gives the field type of an element, None if there is none. Settling twice changes nothing.
    """
    obligations = {}
    for name, obligation in kind.obligations.items():
        actions = {key: a.model_copy(update={"fields": _settle(a.fields, type_of)}) for key, a in obligation.actions.items()}
        obligations[name] = obligation.model_copy(update={"actions": actions})
    return kind.model_copy(update={"fields": _settle(kind.fields, type_of), "obligations": obligations})


def _settle(fields: tuple[FieldSpec, ...], type_of: TypeOf) -> tuple[FieldSpec, ...]:
    explained = {field.reason_for for field in fields}
    settled: list[FieldSpec] = []
    for field in fields:
        told: dict[str, Any] = {"fields": _settle(field.fields, type_of)} if field.fields else {}
        if field.element and (found := type_of(field.element)):
            told["type"] = found
        settled.append(field.model_copy(update=told) if told else field)
        if field.source and field.name not in explained:
            settled.append(_reason(field))
    return tuple(settled)


def _reason(field: FieldSpec) -> FieldSpec:
    said = field.title.as_mapping()
    title = TitlesModel(zh=f"{said['zh']}：手工填写的理由", en=f"{said['en']}: why by hand")
    return FieldSpec(name=f"{field.name}_reason", title=title, max_length=MOST_REASON, multiline=True, reason_for=field.name)


def forms_of(kind: KindSpec) -> Iterator[tuple[str, tuple[FieldSpec, ...], Mapping[str, str], frozenset[str]]]:
    """Yield every form of the kind: where, its fields, what conditions can name beside them, the case's fields it can ask for."""
    plain = expression_fields(kind)
    yield "fields", tuple(f for f in kind.fields if not f.internal), dict.fromkeys(BUILT_IN, "string"), frozenset()
    own = frozenset(field.name for field in kind.fields)
    for name, obligation in kind.obligations.items():
        for action_name, action in obligation.actions.items():
            yield f"obligations.{name}.actions.{action_name}.fields", action.fields, plain, own


def check_forms(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with conditions and sources of fields: each may name only what stands before it."""
    for field in kind.fields:
        if field.internal and (field.when or field.source):
            yield f"fields.{field.name}", "internal 字段不在表单上，不能有 when 或 source", "an internal field is on no form: no when, no source"
    for where, fields, named, data in forms_of(kind):
        for place, field in enumerate(fields):
            at, before, after = f"{where}.{field.name}", fields[:place], fields[place:]
            for text in filter(None, (field.when, field.source.when if field.source else "")):
                yield from _condition(at, text, {**named, **scalar_types(before, "form_")}, after)
            yield from _references(at, field, {f.name for f in before}, data)
    lists = {field.name for field in kind.fields if field.type == "list" and not field.internal}
    for field in kind.fields if kind.by_form else ():
        if field.subset_of and not field.internal and field.subset_of not in lists:
            used = field.subset_of
            yield f"fields.{field.name}", f"表单里没有名单（list）“{used}”", f'the form has no list "{used}"'
    for where, field in _filled_in(kind):
        if any(inner.type == "rows" for inner in field.fields):
            yield f"{where}.{field.name}", "表单里的表格不能再套表格：rows 的列不能是 rows", "a table in a form holds no table: no column of rows can be rows"


def _filled_in(kind: KindSpec) -> Iterator[tuple[str, FieldSpec]]:
    """Yield the fields that people fill in on a page: of the opening form, and of every action that no room takes."""
    if kind.by_form:
        yield from (("fields", field) for field in kind.fields if not field.internal)
    for name, obligation in kind.obligations.items():
        for action_name, action in obligation.actions.items():
            where = f"obligations.{name}.actions.{action_name}.fields"
            yield from ((where, field) for field in action.fields if not action.by_room)


def _condition(at: str, text: str, fields: Mapping[str, str], after: tuple[FieldSpec, ...]) -> Iterator[tuple[str, str, str]]:
    late = {f.name for f in after} & {name.removeprefix("form_") for name in re.findall(r"\bform_\w+", text)}
    if late:
        named = ", ".join(sorted(late))
        yield at, f"条件只能用排在它前面的字段，不能用 {named}", f"a condition can name only fields before it, not {named}"
        return
    try:
        compile_condition(text, tuple(sorted(fields.items())))
    except YunheError as error:
        yield at, error.say("zh"), error.say("en")


def _references(at: str, field: FieldSpec, before: set[str], data: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    known = {"form": before, "data": data}
    for told in field.source.arguments.values() if field.source else ():
        part, _, name = told.partition(".")
        if part in known and name not in known[part]:
            said = f"取数参数不能引用“{told}”：须是表单中排在前面的字段，或办件的字段"
            yield at, said, f'"{told}" cannot be asked with: name an earlier field of the form, or one of the case'
