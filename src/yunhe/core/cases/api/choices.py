"""What stands behind the formats of fields: the people, roles and kinds that a form offers, and what a code is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.delegating import list_colleagues
from yunhe.core.cases.errors import KindNotFound
from yunhe.core.cases.rules.digests import canonical_json
from yunhe.core.cases.types import FieldSpec, KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import RoleNotFound, UserNotFound
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.pages import PageRequest

Texts = Mapping[str, str]
MOST_BODIES = 500
BODY = "organization"


def organization_choices() -> dict[str, str]:
    """Return the organisations that a form offers: name by code."""
    page = organizations.list_organizations(request=PageRequest(size=MOST_BODIES), actor=job_actor("cases"))
    return {body.code: body.label for body in page.items}


def labels_for(fields: Iterable[FieldSpec], actor: Actor) -> dict[str, dict[str, Texts]]:
    """Return, for each field whose format is chosen by name, what it offers this actor: name by code.

    A column of a table is named `table.column`.
    """
    offered: dict[str, dict[str, Texts]] = {}
    found = {}
    for name, spec in each_field(fields):
        if spec.format in OFFERS:
            if spec.format not in offered:
                offered[spec.format] = OFFERS[spec.format](actor)
            found[name] = offered[spec.format]
    return found


def each_field(fields: Iterable[FieldSpec]) -> Iterator[tuple[str, FieldSpec]]:
    """Yield the fields of a form and the columns of its tables, each with its name (`table.column`)."""
    for spec in fields:
        yield spec.name, spec
        yield from ((f"{spec.name}.{inner.name}", inner) for inner in spec.fields)


def label_of(spec: FieldSpec, value: Any) -> Texts | None:
    """Return what people read for a value of a field, where it is a code (or a list of codes) with a name; a row a line."""
    if spec.type == "rows" and isinstance(value, list):
        lines = [_row_label(spec.fields, row) for row in value if isinstance(row, Mapping)]
        return {language: "\n".join(line[language] for line in lines) for language in ("zh", "en")}
    if spec.type == "map" and spec.choices and isinstance(value, Mapping):
        return _map_label(spec, value)
    if spec.format in NAMES and isinstance(value, str | list):
        told = [_named(spec.format, item) for item in ([value] if isinstance(value, str) else value)]
        return _listed(told)
    return next((choice.title.as_mapping() for choice in spec.choices if choice.value == value), None)


def _listed(told: Sequence[Texts]) -> Texts:
    return {"zh": "、".join(one["zh"] for one in told), "en": ", ".join(one["en"] for one in told)}


def _row_label(fields: Sequence[FieldSpec], row: Mapping[str, Any]) -> Texts:
    held = [(spec, row[spec.name]) for spec in fields if row.get(spec.name) not in (None, "", [], {})]
    said = [(spec.title.as_mapping(), _plain_label(spec, value)) for spec, value in held]
    return {
        "zh": "，".join(f"{title['zh']} {told['zh']}" for title, told in said),
        "en": ", ".join(f"{title['en']} {told['en']}" for title, told in said),
    }


def _map_label(spec: FieldSpec, value: Mapping[str, Any]) -> Texts:
    titles = {choice.value: choice.title.as_mapping() for choice in spec.choices}
    said = [(name, titles.get(one, _same(str(one)))) for name, one in value.items()]
    return {
        "zh": "；".join(f"{name}：{told['zh']}" for name, told in said),
        "en": "; ".join(f"{name}: {told['en']}" for name, told in said),
    }


def _plain_label(spec: FieldSpec, value: Any) -> Texts:
    if isinstance(value, bool):
        return {"zh": "是", "en": "yes"} if value else {"zh": "否", "en": "no"}
    if isinstance(value, list) and not spec.format and spec.type == "list":
        return _listed([_same(str(one)) for one in value])
    if spec.format == BODY and (body := organizations.find_organization(code=str(value))):
        return _same(body.label)
    return label_of(spec, value) or _same(canonical_json(value).decode() if isinstance(value, dict | list) else str(value))


def say_value(spec: FieldSpec, value: Any) -> str:
    """Return what a title says for a value."""
    named = label_of(spec, value)
    return named["zh"] if named else "" if value is None else str(value)


def offers_bodies(spec: KindSpec) -> bool:
    """Tell whether a field of the kind, or of one of its forms, names organisations."""
    forms = (f for o in spec.obligations.values() for a in o.actions.values() for f in a.fields)
    return any(f.format == BODY for _name, f in each_field((*spec.fields, *forms)))


def _same(name: str) -> Texts:
    return {"zh": name, "en": name}


def _people(actor: Actor) -> dict[str, Texts]:
    named = sorted(list_colleagues(actor=actor).items(), key=lambda pair: (pair[1], pair[0]))
    return {username: _same(name) for username, name in named}


def _roles(actor: Actor) -> dict[str, Texts]:
    """Return the roles that may be asked for: no administrator's (三员), which the node and its guardians give."""
    return {role.code: role.title for role in organizations.list_roles() if not role.separation}


def _kinds(actor: Actor) -> dict[str, Texts]:
    return {info.code: info.title for info in kinds.list_kinds()}


def _named(what: str, code: str) -> Texts:
    try:
        return NAMES[what](code)
    except (UserNotFound, RoleNotFound, KindNotFound):
        return _same(code)


OFFERS: Mapping[str, Callable[[Actor], dict[str, Texts]]] = {"person": _people, "role": _roles, "kind": _kinds}
NAMES: Mapping[str, Callable[[str], Texts]] = {
    "person": lambda code: _same(organizations.get_person(username=code).display_name),
    "role": lambda code: organizations.get_role(code=code).title,
    "kind": lambda code: kinds.get_kind(code=code).title.as_mapping(),
}
