"""Kinds whose forms these tests are about: one phase, one obligation, whatever fields are asked for."""

from __future__ import annotations

import json
from typing import Any

from yunhe.core.cases import api
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import job_actor


def form_kind(fields: list[dict[str, Any]], action_fields: list[dict[str, Any]] | None = None, **more: Any) -> KindSpec:
    """Return a kind that people open by a form of these fields, and end by an action with those."""
    return KindSpec.model_validate(form_body(fields, action_fields, **more))


def form_body(fields: list[dict[str, Any]], action_fields: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """Return such a kind as a pack writes it."""
    kept = [{"name": "kept", "title": "留存", "type": "json", "internal": True}]
    named = {field["name"] for field in fields}
    effects: list[dict[str, Any]] = [
        {"set_field": {"field": field["name"], "source": f"form.{field['name']}"}}
        for field in action_fields or ()
        if field["name"] in named
    ]
    return {
        "code": "form_case",
        "title": {"zh": "表单件", "en": "Form case"},
        "prefix": "BD",
        "opens": {"permission": "cases.act"},
        "by_form": True,
        "fields": [*fields, *kept],
        "phases": [{"code": "going", "title": "办理"}, {"code": "done", "title": "办结"}],
        "start": [{"open_obligation": "work"}],
        "obligations": {
            "work": {
                "title": "办理",
                "who": {"organization": "owner", "roles": ["data_steward", "data_leader"]},
                "actions": {
                    "finish": {
                        "title": {"zh": "办结", "en": "Finish"},
                        "outcome": "done",
                        "fields": action_fields or [],
                        "effects": [*effects, {"go_to_phase": "done"}, {"close_case": "done"}],
                    },
                },
            },
        },
        **more,
    }


def publish(fields: list[dict[str, Any]], action_fields: list[dict[str, Any]] | None = None, **more: Any) -> KindSpec:
    """Publish such a kind and return it as it was published."""
    api.publish_kind(spec=form_kind(fields, action_fields, **more), source="tests", actor=job_actor("tests"))
    return api.get_kind(code="form_case")


def text(name: str, **more: Any) -> dict[str, Any]:
    """Return a field of text."""
    return {"name": name, "title": {"zh": f"字段{name}", "en": f"Field {name}"}, **more}


EVERY_FIELD: list[dict[str, Any]] = [
    text("short", required=True, max_length=10),
    text("long", multiline=True, max_length=200),
    text("number", type="integer", minimum=1, maximum=100, required=True),
    text("money", type="decimal", minimum=0),
    text("day", type="date"),
    text("free", type="boolean"),
    text("pledge", type="boolean", required=True),
    text("pick", type="choice", choices=[{"value": "a", "title": "甲"}, {"value": "b", "title": "乙"}]),
    text("names", type="list", max_items=5, max_length=20),
    text("people", type="list", format="person", max_items=5, max_length=40),
    text("body", format="organization", max_length=40),
    text("kind", format="kind", max_length=64),
    text(
        "rows",
        type="rows",
        max_items=3,
        fields=[
            text("item", required=True, max_length=20),
            text("qty", type="integer", minimum=1),
            text("cost", type="decimal"),
            text("sort", type="choice", choices=[{"value": "x", "title": {"zh": "货物", "en": "Goods"}}]),
            text("on", type="date"),
            text("ok", type="boolean"),
            text("marks", type="list", max_items=4),
            text("body", format="organization", max_length=40),
            text("extra", type="json"),
        ],
    ),
    text("each", type="map", subset_of="names", choices=[{"value": "yes_", "title": "可"}, {"value": "no_", "title": "否"}]),
    text("notes", type="map", subset_of="names", max_length=20),
    text("plain", type="map", max_length=20),
    text("blob", type="json"),
]
"""A field of every type that people fill in without a file or shared data."""


def as_posted(fields: list[dict[str, Any]], values: dict[str, Any], prefix: str = "do-") -> dict[str, Any]:
    """Return what a browser sends for a form of these fields that is filled in with these values."""
    sent: dict[str, Any] = {}
    for field in fields:
        name, value, told = prefix + field["name"], values.get(field["name"]), field.get("type", "text")
        if told == "map" and field.get("subset_of"):
            for place, key in enumerate(values.get(field["subset_of"]) or ()):
                sent |= {f"{name}__{place}": (value or {}).get(key, ""), f"{name}__{place}__name": key}
        elif value is None or value is False:
            continue
        elif told == "rows":
            sent[name] = [str(place) for place in range(len(value))]
            for place, row in enumerate(value):
                sent |= as_posted(field["fields"], row, f"{name}__{place}__")
        elif told == "map":
            sent[name] = "\n".join(f"{key}={said}" for key, said in value.items())
        elif told == "json":
            sent[name] = json.dumps(value, ensure_ascii=False, indent=1)
        elif told == "list":
            sent[name] = value if field.get("format") else "\r\n".join(value)
        else:
            sent[name] = "on" if value is True else str(value)
    return sent
