"""Several texts of one form beside each other: what each says of a field, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from yunhe.core.attachments import api as attachments
from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say, say_all, say_value
from yunhe.core.cases.forms.opening import OWNER
from yunhe.core.cases.rules.operators import TITLE
from yunhe.core.cases.types import Draft, FieldSpec
from yunhe.kernel.actor import Actor
from yunhe.ui import signs
from yunhe.ui.cells import Column, Empty, Table

Labels = Mapping[str, Mapping[str, Mapping[str, str]]]
NOTHING: tuple[Any, ...] = (None, "", [], {}, False)


def compare(
    other: Mapping[str, Any],
    typed: Mapping[str, Any],
    fields: Mapping[str, FieldSpec],
    *,
    actor: Actor,
    names: Mapping[str, str],
    labels: Labels,
) -> Table:
    """Return the fields in which another text of a form differs from the form, both as people read them."""
    ordered = dict.fromkeys([*fields, *typed, *other])
    differing = [name for name in ordered if _held(other, name) != _held(typed, name)]
    named = {**names, **file_names([other, typed], actor)}

    def told(values: Mapping[str, Any], name: str) -> str | None:
        return say_field(fields.get(name), _held(values, name), {**named, **{c: say(t) for c, t in labels.get(name, {}).items()}})

    columns = (
        Column(_("栏目"), lambda name: say(fields[name].title.as_mapping()) if name in fields else name),
        Column(_("表单里的"), lambda name: told(typed, name), wide=True),
        Column(_("另一处的"), lambda name: told(other, name), wide=True),
    )
    return Table(columns, differing, str(_("两处不同的内容")), Empty(_("两处内容相同")))


def fields_of(draft: Draft, actor: Actor) -> tuple[dict[str, FieldSpec], Labels]:
    """Return the fields that a draft was typed into, by name, and what people read for the codes in them."""
    own = {} if draft.action else {"title": TITLE, "owner": OWNER}
    fields = {**own, **api.fields_of_draft(draft)}
    return fields, api.labels_for(fields.values(), actor)


def say_field(spec: FieldSpec | None, value: Any, names: Mapping[str, str]) -> str | None:
    """Return what was typed into a field as people read it; None where nothing was."""
    if value is None:
        return None
    if spec and spec.type in ("rows", "map") and isinstance(value, list | dict) and (label := api.label_of(spec, value)):
        return say_all(filter(None, say(label).split("\n")))
    if isinstance(value, bool) or (spec and spec.choices and isinstance(value, str)):
        return say_value(spec, value) if spec else str(value)
    if isinstance(value, list):
        return signs.listed(names.get(str(one), str(one)) for one in value)
    return names.get(value, value) if isinstance(value, str) else say_plain(value)


def say_plain(value: Any) -> str:
    """Return a value that no field describes any more."""
    if isinstance(value, Mapping):
        return signs.several(signs.pair(name, said) for name, said in value.items())
    return signs.listed(map(str, value)) if isinstance(value, list) else str(value)


def _held(values: Mapping[str, Any], name: str) -> Any:
    value = values.get(name)
    return None if value in NOTHING else value


def file_names(texts: Iterable[Mapping[str, Any]], actor: Actor) -> dict[str, str]:
    """Return what the files of some texts are called, by id."""
    ids = [str(one) for values in texts for held in values.values() if isinstance(held, list) for one in held]
    return {one.id: one.name for one in attachments.find_drafts(ids=ids, actor=actor)} if ids else {}
