"""Lake's jobs: load, build the serving file, sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from yunhe.core.jobs.types import JobContext
from yunhe.data.lake import api


def load(context: JobContext, *, code: str) -> Mapping[str, Any]:
    """Load one resource; counts are the job's result."""
    return asdict(api.perform_load(context=context, code=code))


def build_serving(context: JobContext, *, code: str, release: str) -> Mapping[str, Any]:
    """Build the serving file of a release; superseded releases are skipped."""
    path = api.build_serving_of(code=code, release_id=release, context=context)
    return {"built": int(bool(path)), "skipped": int(not path)}


def roll_back(context: JobContext, *, case_id: str) -> Mapping[str, Any]:
    """Do an approved roll-back."""
    return api.perform_roll_back(context=context, case_id=case_id)


def check_returns(context: JobContext, *, load_id: str) -> Mapping[str, Any]:
    """Tell the cases of returned records what a load says."""
    return api.check_returns(load_id=load_id)


def sweep(context: JobContext) -> Mapping[str, Any]:
    """Drop what no kept release names."""
    gone = 0
    codes = api.swept_resources()
    for position, code in enumerate(codes):
        context.check()
        context.progress(position, len(codes), code)
        gone += api.sweep_resource(code=code)
    return {"seen": len(codes), "changed": gone}
