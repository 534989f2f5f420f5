"""Rules of divisions, organisations and rights: pure functions over plain values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from ipaddress import ip_address

from yunhe.core.organizations.errors import BadOrganization, BadRegion, BadRole, BadUser
from yunhe.core.organizations.types import (
    ORGANIZATION_KINDS,
    OWN,
    REGION_LEVELS,
    Region,
    RightSpec,
    Separation,
)
from yunhe.kernel.actor import ALL, Right
from yunhe.kernel.check_digits import check_uscc

REGION_CODE = re.compile(r"[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?\Z")
USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,63}\Z")
ROLE_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}\Z")
PERMISSION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*\Z")
SEPARATIONS: tuple[Separation, ...] = ("", "system", "security", "audit")

A_NAME = {"zh": "名称", "en": "a name"}
NOTHING = {"zh": "没有写", "en": "nothing"}
A_DIVISION = {"zh": "已有的行政区划", "en": "a known division"}
A_USCC = {"zh": "正确的统一社会信用代码（18 位，校验码相符）", "en": "a valid unified social credit code (18 characters, with its check digit)"}

NODE_ACTORS = ("operator", "job")
"""Who acts by being able to read the node's home: no person stands behind a right."""

FREE_FAILURES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)


def later_than(day: date) -> dict[str, str]:
    """Return in words that a later day is expected."""
    return {"zh": f"晚于 {day}", "en": f"after {day}"}


def check_region(region: Region) -> None:
    """Do nothing if the division is well formed. Raises: BadRegion.

    Source: GB/T 2260 (6 digits), GB/T 10114 (9 and 12 digits).
    """
    if not REGION_CODE.match(region.code):
        raise BadRegion(where="code", expected={"zh": "6、9 或 12 位数字", "en": "6, 9 or 12 digits"}, found=region.code)
    if region.level not in REGION_LEVELS:
        raise BadRegion(where=f"{region.code}.level", expected=", ".join(REGION_LEVELS), found=region.level)
    if not region.name.strip():
        raise BadRegion(where=f"{region.code}.name", expected=A_NAME, found=NOTHING)
    if region.valid_from and region.valid_until and region.valid_from >= region.valid_until:
        raise BadRegion(where=f"{region.code}.valid_until", expected=later_than(region.valid_from), found=region.valid_until)
    if region.successor and region.valid_until is None:
        raise BadRegion(where=f"{region.code}.valid_until", expected={"zh": "截止日期，因为写了后继", "en": "an end, as there is a successor"}, found=NOTHING)
    if region.parent == region.code:
        raise BadRegion(where=f"{region.code}.parent", expected={"zh": "另一个行政区划", "en": "another division"}, found=region.code)


def overlaps(one: Region, other: Region) -> bool:
    """Tell whether two half-open periods share a day."""
    return (one.valid_from or date.min) < (other.valid_until or date.max) and (
        other.valid_from or date.min
    ) < (one.valid_until or date.max)


def check_organization(*, code: str, name: str, kind: str, region: str) -> None:
    """Do nothing if the organisation is well formed. Raises: BadOrganization.

    Source: GB 32100-2015 for the code.
    """
    if not check_uscc(code).ok:
        raise BadOrganization(where="code", expected=A_USCC, found=code)
    if not name.strip():
        raise BadOrganization(where=f"{code}.name", expected=A_NAME, found=NOTHING)
    if kind not in ORGANIZATION_KINDS:
        raise BadOrganization(where=f"{code}.kind", expected=", ".join(ORGANIZATION_KINDS), found=kind)
    if not REGION_CODE.match(region):
        raise BadOrganization(where=f"{code}.region", expected={"zh": "行政区划代码", "en": "a division's code"}, found=region)


def check_username(username: str) -> None:
    """Do nothing if the name can sign in. Raises: BadUser."""
    if not USERNAME.match(username):
        raise BadUser(
            where="username", expected={"zh": "2–64 位小写字母、数字、点、横线、下划线，以字母开头", "en": "2-64 of a-z 0-9 . _ -, a letter first"},
            found={"zh": f"{len(username)} 个字符", "en": f"{len(username)} characters"},
        )


def is_plain(text: str) -> bool:
    """Tell whether every database can look for the text: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_role(*, code: str, separation: str, rights: Iterable[RightSpec]) -> None:
    """Do nothing if the role is well formed. Raises: BadRole."""
    if not ROLE_CODE.match(code):
        raise BadRole(where="code", expected={"zh": "2–64 位小写字母、数字、下划线，以字母开头", "en": "2-64 of a-z 0-9 _, a letter first"}, found=code)
    if separation not in SEPARATIONS:
        expected = {"zh": "system、security、audit 之一，或不写", "en": "system, security, audit or nothing"}
        raise BadRole(where=f"{code}.separation", expected=expected, found=separation)
    for right in rights:
        if not PERMISSION.match(right.permission):
            raise BadRole(where=f"{code}.rights", expected={"zh": "写作 room.verb", "en": "room.verb"}, found=right.permission)
        if not (right.organizations and right.regions and right.kinds):
            raise BadRole(where=f"{code}.{right.permission}", expected={"zh": "单位、区划、类型各有至少一项", "en": "non-empty sets"}, found=NOTHING)


def may_stand_together(held: Collection[Separation], wanted: Separation) -> bool:
    """Tell whether one person may hold a role of `wanted` beside the roles held.

    Source: GB/T 22239-2019 8.1.5.1-8.1.5.3: system, security and audit administration are
    separated; an administrator holds no business role.
    """
    return all(separation == wanted for separation in held)


def governors_of(held: Collection[Separation]) -> tuple[str, ...]:
    """Return the permissions of which one lets a person set the password of, or close, an account of these roles.

    Nothing for the security administrator: only the node itself (NODE_ACTORS) recovers that account.
    Source: GB/T 22239-2019 8.1.5.1-8.1.5.3.
    """
    if "security" in held:
        return ()
    if "audit" in held:
        return ("roles.manage",)
    return ("organizations.manage", "roles.manage") if "system" in held else ("organizations.manage",)


def resolve_right(spec: RightSpec, *, organization: str, regions: Collection[str]) -> Right:
    """Return the tuple with `own` replaced by the membership's own organisation and divisions."""
    return Right(
        permission=spec.permission,
        organizations=_resolve(spec.organizations, {organization}),
        regions=_resolve(spec.regions, regions),
        kinds=_resolve(spec.kinds, ()),
    )


def caller_address(*, peer: str, forwarded: str, trusted: Collection[str]) -> str:
    """Return the address that a sign-in came from, or "" if it cannot be known.

    `forwarded` is X-Forwarded-For: each proxy writes whom it heard at the end, so the last address that is
    not a trusted proxy's counts, and whatever the caller wrote before it does not. Only a trusted peer's
    header is read. A trusted peer that names nobody, and a loopback peer, stand for everybody behind them.
    """
    proxies = {read_address(part) for part in trusted} - {""}
    address = read_address(peer)
    if address in proxies:
        named = [read_address(part) for part in reversed(forwarded[-2000:].split(","))]
        address = next((one for one in named if one not in proxies), "")
    return "" if is_loopback(address) else address


def read_address(text: str) -> str:
    """Return an IP address in one form, without a port; "" if the text is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own; anything that is no address is not."""
    read = read_address(address)
    return bool(read) and ip_address(read).is_loopback


def wait_after(failures: int) -> timedelta:
    """Return how long sign-in is blocked after so many failures in a row; doubles up to 15 minutes."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doubled: timedelta = FIRST_WAIT * 2 ** min(failures - FREE_FAILURES, 10)
    return min(doubled, LONGEST_WAIT)


def _resolve(declared: Iterable[str], own: Collection[str]) -> frozenset[str]:
    codes: set[str] = set()
    for item in declared:
        codes |= set(own) if item == OWN else {item}
    return frozenset({ALL}) if ALL in codes else frozenset(codes)
