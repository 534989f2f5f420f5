"""The rooms of the house as the roof wires them: address, menu entry, who sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Room:
    """One room. `floor` names its group in the menu ("" stands first); `permissions`: one is enough.

    Without permissions it stands in no menu: every page's head leads there.
    `http` is its router of /api/v1; the router itself names the addresses (a resource has several rooms).
    """

    prefix: str
    urls: str
    title: Any
    icon: str
    floor: str
    permissions: tuple[str, ...]
    http: str = ""


FLOORS: dict[str, Any] = {"": "", "data": _("数据"), "trust": _("可信"), "core": _("平台")}

ROOMS: tuple[Room, ...] = (
    Room(
        prefix="inbox", urls="yunhe.core.cases.urls", title=_("待办"), icon="inbox", floor="",
        permissions=("cases.act", "cases.view"), http="yunhe.core.cases.http.router",
    ),
    Room(
        prefix="notices", urls="yunhe.core.notices.urls", title=_("通知"), icon="bell", floor="",
        permissions=(), http="yunhe.core.notices.http.router",
    ),
    Room(
        prefix="ledger", urls="yunhe.data.catalog.urls", title=_("一本账"), icon="books", floor="data",
        permissions=("ledger.view",), http="yunhe.data.catalog.http.router",
    ),
    Room(
        prefix="lake", urls="yunhe.data.lake.urls", title=_("归集"), icon="database-import", floor="data",
        permissions=("lake.view",), http="yunhe.data.lake.http.router",
    ),
    Room(
        prefix="quality", urls="yunhe.data.quality.urls", title=_("质量"), icon="rosette-discount-check", floor="data",
        permissions=("quality.view",), http="yunhe.data.quality.http.router",
    ),
    Room(
        prefix="exchange", urls="yunhe.data.exchange.urls", title=_("共享交换"), icon="arrows-exchange", floor="data",
        permissions=("exchange.view",), http="yunhe.data.exchange.http.router",
    ),
    Room(
        prefix="standards", urls="yunhe.data.standards.urls", title=_("数据标准"), icon="ruler-2", floor="data",
        permissions=("standards.view",),
    ),
    Room(
        prefix="evidence", urls="yunhe.core.evidence.urls", title=_("存证"), icon="link", floor="trust",
        permissions=("evidence.view", "evidence.view_own"), http="yunhe.core.evidence.http.router",
    ),
    Room(
        prefix="organizations", urls="yunhe.core.organizations.urls", title=_("机构人员"), icon="users", floor="core",
        permissions=("organizations.view",),
    ),
    Room(
        prefix="changes", urls="yunhe.core.cases.urls.changes", title=_("流程变更"), icon="git-branch", floor="core",
        permissions=("cases.change",),
    ),
    Room(
        prefix="packs", urls="yunhe.core.packs.urls", title=_("能力包"), icon="package", floor="core",
        permissions=("packs.view",),
    ),
    Room(  # without permission, so not in the menu: one comes from a form's file field
        prefix="attachments", urls="yunhe.core.attachments.urls", title=_("我的上传"), icon="paperclip", floor="core",
        permissions=(),
    ),
    Room(
        prefix="jobs", urls="yunhe.core.jobs.urls", title=_("作业"), icon="progress", floor="core",
        permissions=("jobs.view",), http="yunhe.core.jobs.http.router",
    ),
)  # fmt: skip
LEDGER = "ledger"
INBOX = "inbox"
