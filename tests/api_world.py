"""A small node for whoever knocks on every door: a published resource, an open case, a grant, a waiting job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.cases import api as cases
from yunhe.core.evidence import api as evidence
from yunhe.data.exchange import api as exchange
from yunhe.data.lake import api as lake
from yunhe.kernel.pages import PageRequest


@dataclass(frozen=True, slots=True)
class World:
    """The names that addresses take."""

    code: str
    case_id: str
    obligation_id: str
    grant_id: str
    job_id: str
    evidence_id: str

    @property
    def names(self) -> dict[str, str]:
        """Return the parameters of the API's addresses by name."""
        return {
            "code": self.code,
            "case_id": self.case_id,
            "action": "grant",
            "operator": "remind",
            "grant_id": self.grant_id,
            "job_id": self.job_id,
            "load_id": self.job_id,
            "release_id": self.job_id,
        }


def build(cast: Cast, folder: Path) -> World:
    """Make it; the national pack included. SOURCE_ROOTS must allow the folder."""
    load_national()
    code = spine.publish(spine.write_csv(folder / "a.csv", spine.rows(5)), cast.owner.code)
    _decide(_ask(code, cast), cast)
    waiting = _ask(code, cast)
    (grant,) = exchange.list_grants(request=PageRequest(), actor=cast.clerk.actor).items
    view = cases.access_case(case_id=waiting, actor=cast.leader.actor)
    offered = next(one for one in view.actions if one.name == "grant")
    (proof, *_) = evidence.find(request=PageRequest(), actor=cast.audit_admin.actor).items
    job_id = lake.start_load(code=code, actor=cast.steward.actor)
    return World(code, waiting, offered.obligation_id, grant.grant_id, job_id, proof.id)


def _ask(code: str, cast: Cast) -> str:
    case = exchange.request_access(
        resource_code=code, fields=("uscc", "region"), purpose="核对", legal_basis="演示", actor=cast.clerk.actor
    )
    return case.case_id


def _decide(case_id: str, cast: Cast) -> None:
    view = cases.access_case(case_id=case_id, actor=cast.leader.actor)
    offered = next(one for one in view.actions if one.name == "grant")
    data = {name: value for name, value in offered.defaults.items() if value}
    cases.act(case_id=case_id, action="grant", data=data, actor=cast.leader.actor)
