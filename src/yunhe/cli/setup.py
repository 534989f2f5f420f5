"""Making a node: folders, key, tables, the national pack, and in the server profile its administrators."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from yunhe.cli.commands import say
from yunhe.core.keys import api as keys
from yunhe.core.organizations import api as organizations
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import job_actor
from yunhe.kernel.pages import PageRequest

Note = Callable[[str], None]
FOLDERS = ("keys", "lake", "loads", "findings", "serving", "work", "uploads", "packs", "gateway", "static")
BASE_PACKS = ("national",)
OWN_CODE = "11999999000000019M"


def make_node(
    *, note: Note, code: str = "", name: str = "", region: str = "", bare: bool = False
) -> dict[str, Any]:
    """Make what a node needs and is still missing; running it again changes nothing else.

    `code`, `name`, `region` are those of the organisation that runs the node; a `bare` node gets
    neither organisation nor accounts.
    Shape: {"home", "profile", "new", "organization", "accounts"}; passwords only of accounts just made.
    """
    home = Path(settings.HOME)
    os.umask(0o077)
    for folder in FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    new = not keys.has_node_key()
    if new:
        keys.create_node_key()
        note(say("节点密钥已生成（0600）", "node key made (0600)"))
    note(say("建表…", "tables …"))
    call_command("migrate", verbosity=0, interactive=False)
    for pack in BASE_PACKS:
        note(f"{say('能力包', 'pack')} {pack} …")
        packs.load_pack(name_or_path=pack, actor=job_actor("init"))
    organization = "" if bare else ensure_organization(code=code, name=name, region=region)
    accounts = [] if bare else first_accounts(organization)
    return {
        "home": str(home),
        "profile": settings.YUNHE["PROFILE"],
        "new": new,
        "organization": organization,
        "accounts": accounts,
    }


def ensure_organization(*, code: str, name: str, region: str) -> str:
    """Return the code of the organisation that runs the node, made on the first run.

    Without a code of its own it gets one of a division that does not exist (999999), so that it can
    never be mistaken for somebody's; `yunhe organization create` adds the real ones.
    """
    found = organizations.list_organizations(request=PageRequest(size=1), actor=job_actor("init")).items
    if found and not code:
        return found[0].code
    wanted = code or OWN_CODE
    if organizations.find_organization(code=wanted) is None:
        organizations.create_organization(
            code=wanted,
            name=name or "本地数据管理机构",
            short_name="" if name else "本地数据局",
            region=region or "100000",
            actor=job_actor("init"),
        )
    return wanted


def first_accounts(organization: str) -> list[dict[str, str]]:
    """Make the three separated administrators of a server node once (三员分立)."""
    if settings.YUNHE["PROFILE"] != "server" or organizations.list_persons(request=PageRequest(size=1), actor=job_actor("init")).total:
        return []
    made = []
    for username, role, name in (
        ("sysadmin", "system_admin", "系统管理员"),
        ("secadmin", "security_admin", "安全管理员"),
        ("auditor", "audit_admin", "审计管理员"),
    ):
        user = organizations.create_user(username=username, display_name=name, actor=job_actor("init"))
        organizations.add_membership(
            username=username, organization=organization, role=role, actor=job_actor("init")
        )
        made.append({"username": username, "role": name, "password": user.password})
    return made


def demo_accounts_live() -> bool:
    """Tell whether demonstration accounts can still log in."""
    return (Path(settings.HOME) / "demo" / "accounts.live").exists()
