"""Random small kinds, and an edit of one: most make sense, some strand cases. For property tests.

`random_kind` has actions, joins and limits only. `rich_kind` adds to such a kind what time does by itself, sub-cases, batches,
what rooms report, pauses and votes, one or two of them at a time.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.proving import Prover
from yunhe.core.cases.types import KindSpec

PHASES = ("p0", "p1", "p2")
NAMES = ("a", "b", "c", "d")
GROUP = "g"
MOST_OBLIGATIONS = 3
CONDITIONS = ("flag", "NOT flag", "n >= 2", "n < 2", "note IS NULL", "case_phase = 'p1'", "n >= 2 AND flag", "form_yes", "NOT form_yes")
VOTES = (
    "count_no > 0", "count_ok * 2 > total_count", "count_ok >= 2", "done_count >= 2", "count_ok > count_no AND open_count = 0", "score_mean >= 3",
    "open_count = 0 AND score_mean < 3", "count_ok = total_count",
)  # fmt: skip
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
            {"name": "flag", "title": "是否", "type": "boolean", "required": True, "shown": False},
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


def rich_kind(seed: int) -> KindSpec:
    """Return a well-formed kind with one or two parts out of `PARTS`; those it got are those that `parts_of` tells."""
    dice = random.Random(seed)
    body: dict[str, Any] = random_kind(seed).model_dump(mode="json")
    for name in sorted(body["obligations"])[MOST_OBLIGATIONS:]:
        _forget(body, name)  # parts multiply the states
    if not _grouped(body):
        body["groups"] = {}
    chosen = dice.sample(sorted(PARTS), dice.choice((1, 1, 2)))
    if chosen[0] not in ("votes", "room", "operators"):  # whole counts beside what multiplies states take minutes to prove
        chosen = [part for part in chosen if part != "votes"]
        for rule in [rule for group in body["groups"].values() for rule in group["rules"] if "total_count" in rule["when"]]:
            rule["when"] = "count_ok >= 2"
    for part in chosen:
        PARTS[part](dice, body)
    return KindSpec.model_validate(body)


def parts_of(kind: KindSpec) -> frozenset[str]:
    """Return what the kind has beside actions and limits."""
    effects = [effect for _, block, _, _ in blocks_of(kind) for effect in block]
    tests = {
        "lapse": any(o.on_due for o in kind.obligations.values()), "recur": any(o.recurs for o in kind.obligations.values()),
        "child": any(o.child for o in kind.obligations.values()), "batch": any(o.who.person == "batch" for o in kind.obligations.values()),
        "room": any(a.by_room for o in kind.obligations.values() for a in o.actions.values()),
        "pause": any(effect.pause_clocks for effect in effects),
        "votes": any(rule.when in VOTES for group in kind.groups.values() for rule in group.rules),  # some kinds have these anyway
    }  # fmt: skip
    return frozenset(name for name, held in tests.items() if held)


def part_kind() -> KindSpec:
    """Return the kind of the sub-cases of rich kinds: one answer, yes or no."""
    actions = {name: {"title": name, "outcome": name, "effects": [{"close_case": name}]} for name in ("ok", "no")}
    return KindSpec.model_validate({
        "code": "random_part", "title": "随机之部分", "prefix": "SB", "opens": {"permission": "cases.act"},
        "fields": [{"name": "note", "title": "注"}], "phases": [{"code": "p0", "title": "p0"}], "start": [{"open_obligation": "answer"}],
        "obligations": {"answer": {"title": "答复", "who": {"person": "opener"}, "actions": actions}},
    })  # fmt: skip


def batch_kind(kind: KindSpec) -> KindSpec | None:
    """Return the batch that a kind's cases wait for, None if they wait for none: it settles them by one action or the other."""
    names = [name for o in kind.obligations.values() if o.who.person == "batch" for name in o.actions]
    if not names:
        return None
    actions = {
        name: {"title": name, "outcome": name, "effects": [{"for_members": [{"action": name, "form": {"yes": "data.yes"}}]}, {"close_case": name}]}
        for name in dict.fromkeys(names)
    }
    return KindSpec.model_validate({
        "code": "random_batch", "title": "随机之批", "prefix": "SP", "opens": {"permission": "cases.act"}, "batch": {"kind": "random"},
        "fields": [{"name": "yes", "title": "是", "type": "boolean", "required": True, "shown": False}], "phases": [{"code": "p0", "title": "p0"}],
        "start": [{"open_obligation": "settle"}], "obligations": {"settle": {"title": "确定", "who": {"person": "opener"}, "actions": actions}},
    })  # fmt: skip


def _with_lapse(dice: random.Random, body: dict[str, Any]) -> None:
    names, one = tuple(body["obligations"]), _any(dice, body)
    limit = {"amount": dice.randint(1, 9), "unit": "days", "basis": "测试", "when": dice.choice(("", "", "flag", "n >= 2"))}
    one["limits"] = [*one["limits"], limit]
    effects = _effects(dice, names, _grouped(body), 2, ending=0.4, form=False)
    one["on_due"] = {"outcome": dice.choice(("ok", "no", "late")), "title": "期满", "effects": effects}


def _with_recurrence(dice: random.Random, body: dict[str, Any]) -> None:
    until = dice.choice(("", "until"))
    _any(dice, body)["recurs"] = {"every": dice.choice(("week", "month")), "until": until}
    if until:
        body["fields"].append({"name": "until", "title": "至", "type": "date"})


def _with_child(dice: random.Random, body: dict[str, Any]) -> None:
    one = _any(dice, body)
    one |= {"actions": {}, "limits": [], "on_due": None, "recurs": None, "group": GROUP}
    if one["who"]["person"]:
        one["who"] = {"organization": "owner", "roles": ["data_leader"]}
    _need_rules(dice, body)
    counts_no = any("count_no" in rule["when"] for rule in body["groups"][GROUP]["rules"])
    outcomes = ["ok", "no"] if counts_no or dice.random() < 0.5 else ["ok"]
    one["child"] = {"kind": "random_part", "outcomes": outcomes, "results": dice.choice(({}, {"note": "note"}))}


def _with_batch(dice: random.Random, body: dict[str, Any]) -> None:
    one = _any(dice, body)
    one["who"] = {"person": "batch"}
    for action in one["actions"].values():
        action["guards"] = []


def _with_room(dice: random.Random, body: dict[str, Any]) -> None:
    one = _any(dice, body)
    for name in dice.sample(sorted(one["actions"]), dice.randint(1, len(one["actions"]))):
        one["actions"][name]["by_room"] = True


def _with_pause(dice: random.Random, body: dict[str, Any]) -> None:
    for effect in ({"pause_clocks": "测试"}, {"resume_clocks": True})[: dice.choice((1, 2, 2))]:
        action = dice.choice([action for one in body["obligations"].values() for action in one["actions"].values()])
        action["effects"] = [effect, *action["effects"]]
    if dice.random() < 0.5:
        _with_lapse(dice, body)


def _with_votes(dice: random.Random, body: dict[str, Any]) -> None:
    for name in dice.sample(sorted(body["obligations"]), dice.randint(1, 2)):
        body["obligations"][name]["group"] = GROUP
    for action in [one["actions"] for one in body["obligations"].values() if one["group"] and "no" not in one["actions"]]:
        action["no"] = {**action["ok"], "title": "no", "outcome": "no", "effects": []}
    texts = dice.sample(VOTES, dice.choice((1, 1, 2)))
    if dice.random() < 0.7 and "open_count = 0" not in texts:
        texts.append("open_count = 0")
    names, grouped = tuple(body["obligations"]), _grouped(body)
    rules = [{"when": text, "effects": _effects(dice, names, grouped, 2, ending=0.5, form=False) or [{"close_case": "end"}]} for text in texts]
    scored = any("score" in text for text in texts)
    body["groups"] = {GROUP: {"rules": rules, "score": "score" if scored else ""}}
    for action in [action for name in grouped for action in body["obligations"][name]["actions"].values()] if scored else []:
        score = {"name": "score", "title": "得分", "type": "integer", "required": dice.random() < 0.7, "minimum": 0, "maximum": 9}
        action["fields"] = [*action["fields"], score]


def _with_operators(dice: random.Random, body: dict[str, Any]) -> None:
    body["operators"] = dice.sample(sorted(body["operators"]), dice.randint(0, len(body["operators"])))


PARTS = {
    "lapse": _with_lapse, "recur": _with_recurrence, "child": _with_child, "batch": _with_batch, "room": _with_room, "pause": _with_pause,
    "votes": _with_votes, "operators": _with_operators,
}  # fmt: skip


def _any(dice: random.Random, body: dict[str, Any]) -> dict[str, Any]:
    """Return any obligation that people end."""
    found: dict[str, Any] = dice.choice([one for _, one in sorted(body["obligations"].items()) if one["actions"]])
    return found


def _grouped(body: dict[str, Any]) -> list[str]:
    return [name for name, one in body["obligations"].items() if one["group"]]


def _need_rules(dice: random.Random, body: dict[str, Any]) -> None:
    """Give the group rules if it has none: one for some of the outcomes, most often one for any other."""
    if not body["groups"]:
        names = tuple(body["obligations"])
        rules = [{"when": text, "effects": _effects(dice, names, [], 2, ending=0.6, form=False) or [{"close_case": "end"}]}
                 for text in ("count_ok > 0", "open_count = 0")[: dice.choice((1, 2, 2, 2))]]  # fmt: skip
        body["groups"] = {GROUP: {"rules": rules}}


def random_edit(kind: KindSpec, seed: int, made: Callable[[int], KindSpec] = random_kind) -> KindSpec:
    """Return the kind with something of it changed: an obligation gone, new or moved, another phase, other effects. `made` makes what is new."""
    dice = random.Random(seed)
    body: dict[str, Any] = copy.deepcopy(kind.model_dump(mode="json"))
    other = made(seed + 1).model_dump(mode="json")
    for _ in range(dice.randint(1, 3)):
        part = dice.choice(("obligation", "obligation", "effects", "phase", "rules", "gone", "field"))
        if part == "obligation":
            name = dice.choice(sorted(other["obligations"]))
            body["obligations"][name] = other["obligations"][name]
        elif part == "gone" and len(body["obligations"]) > 1:
            _forget(body, dice.choice(sorted(body["obligations"])))
        elif part == "effects" and any(one["actions"] for one in body["obligations"].values()):
            name = dice.choice([name for name, one in sorted(body["obligations"].items()) if one["actions"]])
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
        for action in (*one["actions"].values(), *([one["on_due"]] if one["on_due"] else [])):
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
    # With three names a no must be ticked; everywhere else yes and no are taken.
    pledge = outcome == "no" and len(names) == len(PHASES)
    form = [{"name": "yes", "title": "是", "type": "boolean", "required": True, "shown": pledge}, {"name": "note", "title": "注"}]
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
