"""The face of lake: draft a contract, load a source, release a snapshot (归集、装载、发布)."""

from __future__ import annotations

from yunhe.data.lake.api.drafts import draft_contract
from yunhe.data.lake.api.loads import get_load, list_loads, set_aside, start_load
from yunhe.data.lake.api.performing import perform_load
from yunhe.data.lake.api.releases import (
    current_release,
    current_releases,
    find_current_release,
    list_releases,
    release_files,
    roll_back,
    serving_releases,
)
from yunhe.data.lake.api.returning import check_returns, describe_return, find_return, return_to_source, tell_withdrawn
from yunhe.data.lake.api.rolling import find_roll_back, perform_roll_back, request_roll_back, start_roll_back
from yunhe.data.lake.api.serving import build_serving_of
from yunhe.data.lake.api.sweeping import sweep_resource, swept_resources

__all__ = [
    "build_serving_of",
    "check_returns",
    "current_release",
    "current_releases",
    "describe_return",
    "draft_contract",
    "find_current_release",
    "find_return",
    "find_roll_back",
    "get_load",
    "list_loads",
    "list_releases",
    "perform_load",
    "perform_roll_back",
    "release_files",
    "request_roll_back",
    "return_to_source",
    "roll_back",
    "serving_releases",
    "set_aside",
    "start_load",
    "start_roll_back",
    "sweep_resource",
    "swept_resources",
    "tell_withdrawn",
]
