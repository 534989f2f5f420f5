from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL, load_national_limits, national_kind
from yunhe.core.cases import api as cases
from yunhe.core.registers import api
from yunhe.core.registers.types import Entry, RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.workdays import read_calendar

ASSET: dict[str, Any] = {
    "code": "asset",
    "title": {"zh": "资产目录", "en": "Assets"},
    "permissions": {"view": "ledger.view", "edit": "ledger.edit", "publish": "ledger.publish"},
    "more": "allowed",
    "fields": [
        {"name": "classification", "title": "分类", "max_length": 40},
        {"name": "summary", "title": "摘要", "max_length": 5000},
        {
            "name": "sharing",
            "title": "共享类型",
            "type": "choice",
            "required": True,
            "choices": [{"value": word, "title": word} for word in ("unconditional", "conditional", "refused")],
        },
        {"name": "update_cycle", "title": "更新周期", "required": True},
        {"name": "grade", "title": "级别", "type": "integer", "minimum": 1, "maximum": 4},
        {"name": "personal", "title": "含个人信息", "type": "boolean"},
        {"name": "fields", "title": "信息项", "type": "json", "required": True},
    ],
    "facets": ["sharing", "grade", "personal"],
    "search": ["summary", "fields"],
    "code_rule": [{"field": "classification", "default": "307"}, {"owner_serial": 3}, {"text": "/"}, {"sequence": 4}],
}
BODY = {"sharing": "conditional", "update_cycle": "daily", "grade": 2, "personal": False, "fields": [{"name": "uscc"}]}


@pytest.fixture
def registers(cast: Cast, founder: Actor) -> None:
    """A register of these tests, and the publication kind of the national pack."""
    api.define_type(declared=RegisterType.model_validate(ASSET), source="tests", actor=founder)
    load_national_limits()
    cases.publish_kind(spec=national_kind("publication"), source="national", actor=founder)
    cases.replace_calendar(days=read_calendar(NATIONAL / "calendars" / "workdays.csv").days, source="national")


@pytest.fixture
def draft(registers: None, cast: Cast) -> Callable[..., Entry]:
    """Return a function that makes a draft of the owner's steward."""

    def make(**given: Any) -> Entry:
        body = {**BODY, **given.pop("body", {})}
        told = {"type_code": "asset", "title": "企业登记信息", "actor": cast.steward.actor, **given}
        return api.create_entry(owner=cast.owner.code, body=body, **told)

    return make


@pytest.fixture
def publish(cast: Cast) -> Callable[[Entry], Entry]:
    """Return a function that takes a draft through review and publication."""

    def go(entry: Entry) -> Entry:
        api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
        api.publish_entry(entry_id=entry.entry_id, actor=cast.leader.actor)
        return api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor)

    return go
