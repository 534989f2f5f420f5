"""Kinds of cases written for these tests."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import yaml

from yunhe.core.cases import api
from yunhe.core.cases.loaders import LimitRow
from yunhe.core.cases.types import KindSpec

NATIONAL = Path(__file__).resolve().parents[3] / "src" / "yunhe_packs" / "national"

SIMPLE: dict[str, Any] = {
    "code": "leave_note",
    "title": {"zh": "请示", "en": "Note"},
    "prefix": "QS",
    "opens": {"permission": "cases.act", "over": "applicant"},
    "fields": [
        {"name": "amount", "title": "数额", "type": "integer", "required": True, "minimum": 0},
        {"name": "days", "title": "天数", "type": "integer"},
        {"name": "items", "title": "清单", "type": "list"},
        {"name": "answer", "title": "答复", "internal": True},
    ],
    "phases": [{"code": "answering", "title": "办理"}, {"code": "done", "title": "办结"}],
    "limits": [{"amount": 20, "unit": "workdays", "basis": "测试"}],
    "start": [
        {"open_obligation": "answer"},
        {"open_obligation": "opinion", "when": "amount >= 100"},
    ],
    "obligations": {
        "answer": {
            "title": "答复",
            "who": {"organization": "owner", "roles": ["data_leader", "data_steward"]},
            "limits": [
                {"when": "amount >= 1000", "amount": 48, "unit": "hours", "basis": "急件"},
                {"amount": 5, "unit": "workdays", "basis": "一般"},
            ],
            "actions": {
                "agree": {
                    "title": "同意",
                    "outcome": "agreed",
                    "style": "primary",
                    "guards": [
                        {"when": "actor_id <> opener_id", "message": {"zh": "不能答复自己的请示。", "en": "Not your own."}}
                    ],
                    "fields": [
                        {"name": "text", "title": "答复", "required": True, "max_length": 20},
                        {"name": "chosen", "title": "同意的", "type": "list", "subset_of": "items"},
                    ],
                    "effects": [
                        {"set_field": {"field": "answer", "source": "form.text"}},
                        {"go_to_phase": "done"},
                        {"close_case": "agreed"},
                    ],
                },
                "back": {
                    "title": "退回",
                    "outcome": "sent_back",
                    "effects": [{"close_obligations": "all"}, {"open_obligation": "mend"}],
                },
            },
        },
        "opinion": {
            "title": "会签",
            "who": {"organization": "bureau", "roles": ["data_admin"]},
            "actions": {"say": {"title": "已阅", "outcome": "said"}},
        },
        "mend": {
            "title": "补正",
            "who": {"person": "opener"},
            "actions": {"resend": {"title": "重报", "outcome": "resent", "effects": [{"open_obligation": "answer"}]}},
        },
    },
}


def simple_kind(**changes: Any) -> KindSpec:
    """Return the small kind."""
    return KindSpec.model_validate({**SIMPLE, **changes})


def load_national_limits() -> None:
    """Put the dated limits of the national pack into force, which its kinds use."""
    files = [path.read_text("utf-8").splitlines() for path in sorted((NATIONAL / "limits").glob("*.csv"))]
    rows = [row for lines in files for row in csv.DictReader(lines)]
    api.replace_limits(limits=[LimitRow.model_validate(row).limit() for row in rows], source="national")
def stranding_kind() -> KindSpec:
    """Return the small kind with an action that nothing follows: no publisher would let it through."""
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["actions"]["vanish"] = {"title": "不了了之", "outcome": "vanished"}
    return KindSpec.model_validate(body)


def national_kind(name: str) -> KindSpec:
    """Return a kind of the national pack as it is written."""
    return KindSpec.model_validate(yaml.safe_load((NATIONAL / "cases" / f"{name}.yml").read_text("utf-8")))
