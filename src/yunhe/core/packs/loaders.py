"""The loaders of the rooms below packs: divisions, organisations, roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import RoleNotFound
from yunhe.core.organizations.types import OrganizationKind, Region, RegionLevel, RightSpec
from yunhe.core.packs.api.registry import register_loader
from yunhe.core.packs.errors import BadPackItem, RefusedPackItem
from yunhe.core.packs.types import LoadContext, PackItem, PlannedChange, Strict, Title
from yunhe.kernel.errors import Conflict, Invalid, Missing


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


OptionalDate = Annotated[date | None, BeforeValidator(_empty_is_none)]


class RegionModel(Strict):
    """One row of `regions/*.csv`."""

    code: str
    name: str
    level: RegionLevel
    parent: str = ""
    valid_from: OptionalDate = None
    valid_until: OptionalDate = None
    successor: str = ""
    basis: str = ""

    def region(self) -> Region:
        """Return the division as organizations takes it."""
        return Region(**self.model_dump())


class OrganizationModel(Strict):
    """One mapping of `organizations/*.yml`, or one row of `organizations/*.csv`."""

    code: str
    name: str
    short_name: str = ""
    kind: OrganizationKind = "department"
    region: str
    parent: str = ""
    valid_from: OptionalDate = None


class RightModel(Strict):
    """One line of a role's rights: several permissions over the same sets."""

    permissions: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")], ...], Field(min_length=1)]
    organizations: Annotated[tuple[str, ...], Field(min_length=1)] = ("own",)
    regions: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    kinds: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)


class RoleModel(Strict):
    """One mapping of `roles/*.yml`."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
    title: Title
    separation: Literal["", "system", "security", "audit"] = ""
    rights: tuple[RightModel, ...]

    def specs(self) -> tuple[RightSpec, ...]:
        """Return one right per permission."""
        return tuple(
            RightSpec(permission, line.organizations, line.regions, line.kinds)
            for line in self.rights
            for permission in line.permissions
        )


def plan_regions(context: LoadContext, items: tuple[PackItem, ...]) -> Iterator[PlannedChange]:
    """Tell which divisions are new; one that stands differently already is a problem, never overwritten."""
    seen: set[tuple[str, date | None]] = set()
    for item in items:
        region = item.value.region()
        if (region.code, region.valid_from) in seen:
            expected = {"zh": "每个区划的每段时间只出现一次", "en": "each period once"}
            raise BadPackItem(item=item, field="code", expected=expected, found=region.code)
        seen.add((region.code, region.valid_from))
        held = [old for old in organizations.list_region_history(code=region.code) if old.valid_from == region.valid_from]
        if held and held[0] != region:
            expected = {"zh": f"与已有的一致（{held[0].name}）", "en": f"as stored: {held[0].name}"}
            raise BadPackItem(item=item, field=region.code, expected=expected, found=region.name)
        yield PlannedChange("region", region.code, "keep" if held else "create")


def apply_regions(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Add the divisions that are new, parents before children."""
    for item in sorted(items, key=lambda item: (len(item.value.parent) > 0, item.value.code)):
        region = item.value.region()
        if region not in organizations.list_region_history(code=region.code):
            _told(item, partial(organizations.create_region, region=region, actor=context.actor))


def plan_organizations(context: LoadContext, items: tuple[PackItem, ...]) -> Iterator[PlannedChange]:
    """Tell which organisations are new; one that stands already is kept as it is."""
    seen: set[str] = set()
    for item in items:
        if item.value.code in seen:
            expected = {"zh": "每个机构只出现一次", "en": "each organisation once"}
            raise BadPackItem(item=item, field="code", expected=expected, found=item.value.code)
        seen.add(item.value.code)
        held = organizations.find_organization(code=item.value.code)
        yield PlannedChange("organization", item.value.name, "keep" if held else "create")


def apply_organizations(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Add the organisations that are new; a parent stands before its children in the pack."""
    for item in items:
        if organizations.find_organization(code=item.value.code) is None:
            values = item.value.model_dump()
            _told(item, partial(organizations.create_organization, **values, actor=context.actor))


def plan_roles(context: LoadContext, items: tuple[PackItem, ...]) -> Iterator[PlannedChange]:
    """Tell which roles are new or change what their holders may do."""
    for item in items:
        role = item.value
        try:
            held = organizations.get_role(code=role.code)
        except RoleNotFound:
            yield PlannedChange("role", role.code, "create", rights=True)
            continue
        if held.pack not in ("", context.manifest.name):
            expected = {"zh": f"本能力包的岗位，而不是“{held.pack}”的", "en": f"a role of this pack, not of {held.pack}"}
            raise BadPackItem(item=item, field="code", expected=expected, found=role.code)
        same = (held.rights, held.separation, dict(held.title)) == (role.specs(), role.separation, role.title.plain())
        yield PlannedChange("role", role.code, "keep" if same else "update", rights=not same)


def apply_roles(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Define the roles that are new or changed."""
    changes = {change.name: change.action for change in plan_roles(context, items)}
    for item in items:
        role = item.value
        if changes[role.code] != "keep":
            _told(
                item,
                partial(
                    organizations.define_role, code=role.code, title=role.title.plain(), rights=role.specs(), separation=role.separation,
                    pack=context.manifest.name, actor=context.actor,
                ),
            )  # fmt: skip


def _told(item: PackItem, write: Callable[[], object]) -> None:
    """Do the write; what the room below refuses is said with the item's file and line."""
    try:
        write()
    except (Invalid, Missing, Conflict) as error:
        raise RefusedPackItem(item=item, error=error) from error


def register_loaders() -> None:
    """Fill the slots of the rooms below."""
    register_loader(section="regions", model=RegionModel, plan=plan_regions, apply=apply_regions, order=10)
    register_loader(
        section="organizations", model=OrganizationModel, plan=plan_organizations, apply=apply_organizations, order=20
    )
    register_loader(section="roles", model=RoleModel, plan=plan_roles, apply=apply_roles, order=30)
