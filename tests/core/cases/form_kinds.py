"""Kinds whose forms these tests are about: one phase, one obligation, whatever fields are asked for."""

from __future__ import annotations

from typing import Any

from yunhe.core.cases import api
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import job_actor


def form_kind(fields: list[dict[str, Any]], action_fields: list[dict[str, Any]] | None = None, **more: Any) -> KindSpec:
    """Return a kind that people open by a form of these fields, and end by an action with those."""
    kept = [{"name": "kept", "title": "留存", "type": "json", "internal": True}]
    named = {field["name"] for field in fields}
    effects: list[dict[str, Any]] = [
        {"set_field": {"field": field["name"], "source": f"form.{field['name']}"}}
        for field in action_fields or ()
        if field["name"] in named
    ]
    body = {
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
    return KindSpec.model_validate(body)


def publish(fields: list[dict[str, Any]], action_fields: list[dict[str, Any]] | None = None, **more: Any) -> KindSpec:
    """Publish such a kind and return it as it was published."""
    api.publish_kind(spec=form_kind(fields, action_fields, **more), source="tests", actor=job_actor("tests"))
    return api.get_kind(code="form_case")


def text(name: str, **more: Any) -> dict[str, Any]:
    """Return a field of text."""
    return {"name": name, "title": {"zh": f"字段{name}", "en": f"Field {name}"}, **more}
