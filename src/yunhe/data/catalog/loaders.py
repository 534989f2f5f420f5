"""How packs bring contracts (resources/*.yml, one in a file)."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from yunhe.core.organizations import api as organizations
from yunhe.core.packs.errors import BadPackItem
from yunhe.core.packs.types import LoadContext, PackItem, PlannedChange
from yunhe.data.catalog import api, rules
from yunhe.data.catalog.types import ContractProblem
from yunhe.kernel.pages import PageRequest


class ContractFile(BaseModel):
    """A contract as packs see it; catalog itself reads the file, with its lines."""

    model_config = ConfigDict(frozen=True, extra="allow")

    title: str
    provider: str


def plan_contracts(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Read every contract of the pack; tell which would be registered as drafts."""
    for item in items:
        problems = rules.Problems(item.file)
        rules.read_contract(_text(context, item), problems)
        if problems.found:
            raise _bad(item, problems.in_order[0])
        template = _is_template(item)
        yield PlannedChange("contract", item.value.title, "keep" if template or _is_there(context, item) else "create")


def apply_contracts(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Register the contracts as drafts of their providers.

    A contract whose source is a placeholder (`{…}`) is a template: it was checked, and is registered by
    whoever fills it in.
    """
    for item in items:
        contract = api.parse_contract(text=_text(context, item), file=item.file, beside=False)
        if not _is_template(item) and not _is_there(context, item):
            api.register_resource(contract=contract, actor=context.actor, note=context.manifest.name)


def _text(context: LoadContext, item: PackItem) -> str:
    return context.files[item.file].decode("utf-8-sig")


def _is_template(item: PackItem) -> bool:
    source = (item.value.model_extra or {}).get("source")
    return isinstance(source, dict) and str(source.get("location", "")).startswith("{")


def _is_there(context: LoadContext, item: PackItem) -> bool:
    owner = organizations.find_organization(code=item.value.provider)
    if owner is None:
        return False
    asked = PageRequest(size=500, search=item.value.title, filters={"provider": owner.code})
    found = api.list_resources(request=asked, actor=context.actor)
    return any(line.title == item.value.title for line in found.items)


def _bad(item: PackItem, problem: ContractProblem) -> BadPackItem:
    place = f"{problem.line} {problem.field}".strip() if problem.line else problem.field
    return BadPackItem(item=item, field=place, expected=problem.expected, found=problem.found)
