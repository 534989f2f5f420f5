"""Random small kinds, and an edit of one: most make sense, some strand cases. For property tests."""

from __future__ import annotations

import copy
import random
from typing import Any

from yunhe.core.cases.rules.proving import Prover
from yunhe.core.cases.types import KindSpec

PHASES = ("p0", "p1", "p2")
NAMES = ("a", "b", "c", "d")
GROUP = "g"
CONDITIONS = ("flag", "NOT flag", "n >= 2", "n < 2", "note IS NULL", "case_phase = 'p1'", "n >= 2 AND flag", "form_yes", "NOT form_yes")
RULES = (
    ("open_count = 0",), ("count_no > 0", "open_count = 0"), ("open_count = 0 AND count_no = 0", "open_count = 0"),
    ("count_ok >= 2", "open_count = 0"), ("count_ok * 2 > total_count", "open_count = 0"), ("count_ok > 0",),
)  # fmt: skip


def random_kind(seed: int) -> KindSpec:
    """Return a kind that is well-formed; whether it is sound is what the tests ask."""
    dice = random.Random(seed)
    names = NAMES[: dice.randint(2, 4)]
    grouped = dice.sample(names, dice.randint(0, 2))
    body: dict[str, Any] = {
        "code": "random", "title": "随机", "prefix": "SJ", "opens": {"permission": "cases.act"}, "by_form": True,
        "fields": [
            {"name": "flag", "title": "是否", "type": "boolean", "required": True},
            {"name": "n", "title": "数", "type": "integer", "required": True, "minimum": 0, "maximum": 9},
            {"name": "note", "title": "注", "internal": True},
            {"name": "bodies", "title": "单位", "type": "list", "required": dice.random() < 0.7},
        ],
        "phases": [{"code": code, "title": code} for code in PHASES],
        "start": [{"open_obligation": names[0]}, *_effects(dice, names, grouped, 1, ending=0.02, form=False)],
        "obligations": {name: _obligation(dice, name, names, grouped) for name in names},
    }  # fmt: skip
    if grouped:
        texts = dice.choice(RULES)
        rules = [{"when": text, "effects": _effects(dice, names, grouped, 2, ending=0.4, form=False) or [{"close_case": "end"}]} for text in texts]
        body["groups"] = {GROUP: {"rules": rules}}
    return KindSpec.model_validate(body)


def random_edit(kind: KindSpec, seed: int) -> KindSpec:
    """Return the kind with something of it changed: an obligation gone, new or moved, another phase, other effects."""
    dice = random.Random(seed)
    body: dict[str, Any] = copy.deepcopy(kind.model_dump(mode="json"))
    other = random_kind(seed + 1).model_dump(mode="json")
    for _ in range(dice.randint(1, 3)):
        part = dice.choice(("obligation", "obligation", "effects", "phase", "rules", "gone", "field"))
        if part == "obligation":
            name = dice.choice(sorted(other["obligations"]))
            body["obligations"][name] = other["obligations"][name]
        elif part == "gone" and len(body["obligations"]) > 1:
            _forget(body, dice.choice(sorted(body["obligations"])))
        elif part == "effects":
            name = dice.choice(sorted(body["obligations"]))
            action = dice.choice(sorted(body["obligations"][name]["actions"]))
            body["obligations"][name]["actions"][action]["effects"] = _effects(dice, tuple(body["obligations"]), [], 2, ending=0.4, form=False)
        elif part == "phase" and len(body["phases"]) > 1:
            body["phases"] = body["phases"][:-1]
        elif part == "rules" and other["groups"]:
            body["groups"] = other["groups"]
        elif part == "field":
            body["fields"] = [*[f for f in body["fields"] if f["name"] != "extra"], {"name": "extra", "title": "新", "required": True}]
    grouped = {o["group"] for o in body["obligations"].values()} - {""}
    body["groups"] = body["groups"] or (other["groups"] if grouped else {})
    return KindSpec.model_validate(body)


def _forget(body: dict[str, Any], name: str) -> None:
    """Take an obligation out, and what opens it."""
    del body["obligations"][name]
    places = [action for one in body["obligations"].values() for action in one["actions"].values()]
    places += [rule for group in body["groups"].values() for rule in group["rules"]]
    for place in places:
        place["effects"] = [e for e in place["effects"] if name not in (e.get("open_obligation"), e.get("close_obligations"))]
    kept = [e for e in body["start"] if name not in (e.get("open_obligation"), e.get("close_obligations"))]
    body["start"] = kept or [{"open_obligation": min(body["obligations"])}]
    for group in body["groups"].values():
        group["rules"] = [rule for rule in group["rules"] if rule["effects"]] or [{"when": "open_count = 0", "effects": [{"close_case": "end"}]}]


def trimmed(kind: KindSpec) -> KindSpec:
    """Return the kind without the phases and obligations that nothing reaches: more of such are sound."""
    proof = Prover(kind).prove()
    entered = {state.phase for state in proof.edges} | {kind.phases[0].code}
    body: dict[str, Any] = kind.model_dump(mode="json")
    body["phases"] = [phase for phase in body["phases"] if phase["code"] in entered]
    gone = body["obligations"].keys() - proof.opened
    body["obligations"] = {name: one for name, one in body["obligations"].items() if name not in gone}

    def kept(effect: dict[str, Any]) -> bool:
        return not gone & {effect["open_obligation"], effect["close_obligations"]} and effect["go_to_phase"] in ("", *entered)

    for rules in body["groups"].values():
        for rule in rules["rules"]:
            rule["effects"] = [e for e in rule["effects"] if kept(e)]
        rules["rules"] = [rule for rule in rules["rules"] if rule["effects"]]
    for one in body["obligations"].values():
        for action in one["actions"].values():
            action["effects"] = [e for e in action["effects"] if kept(e)]
    used = {one["group"] for one in body["obligations"].values()}
    body["groups"] = {name: one for name, one in body["groups"].items() if one["rules"] and name in used}
    return KindSpec.model_validate(body)


def _obligation(dice: random.Random, name: str, names: tuple[str, ...], grouped: list[str]) -> dict[str, Any]:
    each = name in grouped and dice.random() < 0.6
    who = {"organization": "each", "each": "bodies", "roles": ["data_leader"]} if each else {"person": "opener"}
    outcomes = ("ok", "no") if name in grouped or dice.random() < 0.8 else ("ok",)
    quiet = 0.8 if name in grouped else 0.0
    return {
        "title": name, "who": who, "group": GROUP if name in grouped else "",
        "limits": [{"amount": dice.randint(1, 9), "unit": dice.choice(("workdays", "days", "hours")), "basis": "测试"}] if dice.random() < 0.5 else [],
        "actions": {outcome: _action(dice, outcome, names, grouped, quiet) for outcome in outcomes},
    }  # fmt: skip


def _action(dice: random.Random, outcome: str, names: tuple[str, ...], grouped: list[str], quiet: float) -> dict[str, Any]:
    form = [{"name": "yes", "title": "是", "type": "boolean", "required": True}, {"name": "note", "title": "注"}]
    guards = [{"when": dice.choice(("flag", "n >= 2", "form_yes", "case_phase <> 'p2'")), "message": "不行"}] if dice.random() < 0.15 else []
    effects = [] if dice.random() < quiet else _effects(dice, names, grouped, dice.randint(1, 3), ending=0.4, form=True)
    return {"title": outcome, "outcome": outcome, "guards": guards, "fields": form, "effects": effects}


def _effects(dice: random.Random, names: tuple[str, ...], grouped: list[str], most: int, *, ending: float, form: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(most):
        kind = dice.random()
        if kind < 0.45:
            found.append({"open_obligation": dice.choice(names)})
        elif kind < 0.65:
            found.append({"go_to_phase": dice.choice(PHASES)})
        elif kind < 0.72 and grouped:
            found.append({"close_group": GROUP})
        elif kind < 0.78:
            found.append({"close_obligations": dice.choice(("all", *names))})
        elif kind < 0.86:
            found.append({"set_field": {"field": "note", "source": "form.note"} if form else {"field": "flag", "value": True}})
        if found and dice.random() < 0.3:
            found[-1]["when"] = dice.choice(CONDITIONS if form else CONDITIONS[:-2])
    if dice.random() < ending:
        found.append({"close_case": "end", **({"when": dice.choice(("flag", "n >= 2"))} if dice.random() < 0.2 else {})})
    return found
