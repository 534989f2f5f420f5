"""The catalogue (数据目录, 公共数据“一本账”): resources, their contracts, and what becomes of them."""

from __future__ import annotations

from yunhe.data.catalog.api.contracts import check_columns, check_contract, parse_contract, render_contract
from yunhe.data.catalog.api.generated import code_sets_for, freshness, rules_for
from yunhe.data.catalog.api.proposing import name_fields, propose_contract
from yunhe.data.catalog.api.reading import (
    access_resource,
    compare_versions,
    count_ledger,
    find_resource,
    get_resource,
    list_receivals,
    list_resources,
    list_users,
    list_versions,
    update_calendar,
    view_resource,
)
from yunhe.data.catalog.api.registering import (
    publish_resource,
    register_resource,
    submit_resource,
    withdraw_resource,
)
from yunhe.data.catalog.api.reporting import record_quality, record_release, record_use

__all__ = [
    "access_resource",
    "check_columns",
    "check_contract",
    "code_sets_for",
    "compare_versions",
    "count_ledger",
    "find_resource",
    "freshness",
    "get_resource",
    "list_receivals",
    "list_resources",
    "list_users",
    "list_versions",
    "name_fields",
    "parse_contract",
    "propose_contract",
    "publish_resource",
    "record_quality",
    "record_release",
    "record_use",
    "register_resource",
    "render_contract",
    "rules_for",
    "submit_resource",
    "update_calendar",
    "view_resource",
    "withdraw_resource",
]
