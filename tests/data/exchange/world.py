"""A released resource, a request and its grant, and a gateway that answers under it: what tests of exchange stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from tests.conftest import Cast
from tests.gateway.in_process import TestClient
from yunhe.client.signing import authorize
from yunhe.core.cases import api as cases
from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.types import Collected
from yunhe.data.exchange import api
from yunhe.data.exchange.types import Grant, NewSystem
from yunhe.engine.evidencelog import SegmentWriter
from yunhe.gateway.app import make_app
from yunhe.gateway.config import GatewayConfig
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest

THREE = ("uscc", "enterprise_name", "region")


def ask(code: str, cast: Cast, *, fields: tuple[str, ...] = THREE, **more: str) -> str:
    """Request fields as the clerk; return the case."""
    case = api.request_access(
        resource_code=code, fields=fields, purpose="核对参保企业", legal_basis="演示", actor=cast.clerk.actor, **more
    )
    return case.case_id


def grant(code: str, cast: Cast, *, case_id: str = "", **decision: object) -> Grant:
    """Request as the clerk unless a case is named, and grant as the leader what the form offers unless told otherwise."""
    case_id = case_id or ask(code, cast)
    view = cases.access_case(case_id=case_id, actor=cast.leader.actor)
    offered = next(a for a in view.actions if a.name == "grant")
    data = {k: v for k, v in offered.defaults.items() if v not in (None, "", [], {})}
    cases.act(case_id=case_id, action="grant", data={**data, **decision}, actor=cast.leader.actor)
    return api.list_grants(request=PageRequest(), actor=cast.clerk.actor).items[0]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway over the node's own rights image, with a spool of its own."""

    http: httpx.Client
    spool: Path
    system: NewSystem = field(repr=False)

    def call(self, grant_id: str, key: str, *, system: NewSystem | None = None, **content: Any) -> httpx.Response:
        signer = system or self.system
        body = httpx.Request("POST", "http://x", json={"grant": grant_id, "keys": {"uscc": key}, **content}).content
        signature = authorize(
            key_id=signer.system.key_id, secret=signer.secret, method="POST", path="/v1/query", body=body
        )
        return self.http.post("/v1/query", content=body, headers={"Authorization": signature})

    def collect(self) -> Collected:
        return evidence.collect_segments(folder=self.spool)


@contextmanager
def gateway(cast: Cast, home: Path) -> Iterator[Gateway]:
    """Run a gateway that the clerk's department has a system for. Keeps to the caller's rights image."""
    system = api.create_system(name="社保系统", organization=cast.other.code, actor=cast.clerk.actor)
    config = GatewayConfig(
        home=home,
        node_secret=api.gateway_secret(),
        rights=api.rights_image_path(),
        skew_seconds=settings.YUNHE["CLOCK_SKEW_SECONDS"],
    )
    with TestClient(make_app(config)) as http:
        yield Gateway(http, config.spool_path, system)


def line(code: str, cast: Cast, **more: Any) -> dict[str, Any]:
    """Return the line of one call as a gateway writes it; `facts` add to its facts."""
    facts = {"outcome": "found", "purpose": "核对"} | more.pop("facts", {})
    return {
        "id": new_id(), "at": "2024-05-01T00:00:00.000001+00:00", "kind": "gateway.query", "actor_kind": "system",
        "actor_id": "system:AK1", "actor_name": "系统", "actor_role": "", "organization": cast.other.code,
        "owner_organization": cast.owner.code, "subject_type": "data_resource", "subject_id": code, "facts": facts,
    } | more  # fmt: skip


def written(folder: Path, *lines: dict[str, Any]) -> Gateway:
    """Return a gateway of which only the spool is there, holding these lines."""
    writer = SegmentWriter(folder)
    for each in lines:
        writer.append(each)
    writer.close()
    return Gateway(http=None, spool=folder, system=None)  # type: ignore[arg-type]
