"""A contract back as YAML, as a register entry's body, and its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields as parts_of
from typing import Any

import yaml

from yunhe.crypto import sm3
from yunhe.data.catalog.rules.reading import FORM
from yunhe.data.catalog.types import Contract, ContractField, ContractRule
from yunhe.engine.types import SourceSpec

TEXTS = (
    "title", "category", "provider", "summary", "legal_basis", "sharing", "sharing_basis", "opening", "opening_basis",
    "update_cycle", "format", "officer",
)  # fmt: skip
LISTS = ("null_marks", "columns")


def contract_to_body(contract: Contract) -> dict[str, Any]:
    """Return the body of the register entry: flat, JSON values, empty parts left out."""
    body: dict[str, Any] = {name: getattr(contract, name) for name in TEXTS if name != "title"}
    body |= {
        "grade": contract.grade,
        "personal": contract.personal,
        "related": list(contract.related),
        "source_connector": contract.source.connector,
        "source_location": contract.source.location,
        "source_options": dict(contract.source.options),
        "keys": list(contract.keys),
        "fields": [_field_to_body(one) for one in contract.fields],
        "rules": [_rule_to_body(one) for one in contract.rules],
        "minimum_rows": contract.minimum_rows,
    }
    return {key: value for key, value in body.items() if value not in ("", [], {}, None)}


def contract_from_body(code: str, title: str, body: Mapping[str, Any]) -> Contract:
    """Return the contract that a register entry's body holds."""
    texts = {name: body.get(name, "") for name in TEXTS if name != "title"}
    return Contract(
        **{**texts, "opening": texts["opening"] or "closed", "category": texts["category"] or "3"},
        code=code,
        title=title,
        grade=int(body.get("grade", 1)),
        personal=bool(body.get("personal", False)),
        related=tuple(body.get("related", ())),
        source=SourceSpec(
            body.get("source_connector", ""), body.get("source_location", ""), dict(body.get("source_options", {}))
        ),
        keys=tuple(body.get("keys", ())),
        fields=tuple(_typed(ContractField, one) for one in body.get("fields", ())),
        rules=tuple(_typed(ContractRule, one) for one in body.get("rules", ())),
        minimum_rows=int(body.get("minimum_rows", 0)),
    )


def contract_digest(contract: Contract) -> str:
    """Return SM3 over the contract's canonical JSON; code, file and lines take no part."""
    whole = {"title": contract.title, **contract_to_body(contract)}
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sm3.hexdigest(text.encode("utf-8"))


def render_contract(contract: Contract) -> str:
    """Return the contract as a YAML file (resource/1); reading it again gives the same contract."""
    head: dict[str, Any] = {"yunhe": FORM, "code": contract.code}
    head |= {name: getattr(contract, name) for name in TEXTS}
    head |= {
        "grade": contract.grade,
        "personal": contract.personal,
        "related": list(contract.related),
        "source": _source_to_yaml(contract.source),
        "keys": list(contract.keys),
    }
    parts = [_dump({key: value for key, value in head.items() if key == "code" or value not in ("", [], {})})]
    parts += ["fields:\n", *(f"  - {_flow(_field_to_yaml(one, contract))}\n" for one in contract.fields)]
    if contract.rules:
        parts += ["rules:\n", *(f"  - {_flow(_rule_to_body(one))}\n" for one in contract.rules)]
    if contract.minimum_rows:
        parts.append(f"minima: {{rows: {contract.minimum_rows}}}\n")
    return "".join(parts)


def _source_to_yaml(source: SourceSpec) -> dict[str, str]:
    return {k: v for k, v in {"connector": source.connector, "location": source.location, **source.options}.items() if v}


def _field_to_yaml(one: ContractField, contract: Contract) -> dict[str, Any]:
    body = _field_to_body(one)
    # What the resource or the element says by itself is written where it differs from the resource.
    if one.sharing == contract.sharing:
        del body["sharing"]
    body["opening"], body["mask"], body["grade"] = one.opening, one.mask, one.grade
    body["personal"] = one.personal
    if one.opening == contract.opening and not (one.personal and contract.opening != "closed"):
        del body["opening"]
    return body


def _field_to_body(one: ContractField) -> dict[str, Any]:
    kept = {part.name: getattr(one, part.name) for part in parts_of(one)}
    body = {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
    for key, usual in (("zone", "Asia/Shanghai"), ("mask", "none"), ("grade", 1), ("opening", "closed")):
        if body[key] == usual:
            del body[key]
    # A scale of 0 is said; only what is absent or false is left out.
    return {key: value for key, value in body.items() if value is not False and value not in ("", [], None)}


def _rule_to_body(one: ContractRule) -> dict[str, Any]:
    kept = {part.name: getattr(one, part.name) for part in parts_of(one)}
    body = {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
    return {key: dict(value) if key == "arguments" else value for key, value in body.items() if value not in ("", [], {})}


def _typed(kind: type, body: Mapping[str, Any]) -> Any:
    values = {key: tuple(value) if key in LISTS else value for key, value in body.items()}
    return kind(**values)


class _Dumper(yaml.SafeDumper):
    """Block style for the head, no anchors ever."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def _flow(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000, default_flow_style=True)
    return text.strip()
