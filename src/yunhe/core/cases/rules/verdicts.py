"""What the proof of a kind says in words: what is never reached, where a case could be stranded, and by which steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.proving import MOST_STATES, STANDS, Proof, Prover, State, ending_of
from yunhe.core.cases.types import KindSpec

MOST_TOLD = 10
MOST_STEPS = 8
Problem = tuple[str, str, str]
_OWN_STEPS = {
    "send_back": ("退回", "sent back"), "retract": ("撤回", "taken back"), "waiver": ("免除第二人审核", "second person waived"),
    "withdraw": ("撤回申请", "withdrawn"), "start": ("提出", "opened"), "recur": ("新的一期", "the next period"),
}  # fmt: skip


def judge_kind(kind: KindSpec) -> tuple[Problem, ...]:
    """Return where, in Chinese and in English: what nothing reaches, and where a case of the kind could not go on.

    The names in the kind must be right already. Cost: seconds for a kind with many states; the same text is judged once.
    """
    return _judged(kind.model_dump_json())


@lru_cache(maxsize=32)
def _judged(text: str) -> tuple[Problem, ...]:
    return tuple(_judge(KindSpec.model_validate_json(text)))


def _judge(kind: KindSpec) -> Iterator[Problem]:
    proof = Prover(kind).prove()
    if not proof.complete:
        yield "kind", f"流程的状态超过 {MOST_STATES} 种，无法逐一证明，请拆成子办件", (
            f"it has more than {MOST_STATES} states, too many to prove; make parts of it sub-cases"
        )
        return
    for name in kind.obligations:
        if name not in proof.opened:
            yield f"obligations.{name}", "没有任何步骤会开启它", "nothing ever opens it"
    entered = {state.phase for state in proof.edges} | {kind.phases[0].code}
    for phase in kind.phases:
        if phase.code not in entered:
            yield f"phases.{phase.code}", "没有任何步骤会进入这个阶段", "no step ever enters this phase"
    yield from _twice_the_opener(kind, proof)
    yield from _once(_stuck(kind, proof))
    yield from _once(_dead(kind, proof))
    yield from _once(_left_to_rooms(kind, proof))


def _left_to_rooms(kind: KindSpec, proof: Proof) -> Iterator[Problem]:
    """Yield the obligations that only rooms end, where a case would wait for ever if none reports anything.

    Time may lead on, another obligation beside it, or sending back to an earlier phase by whoever holds a seat.
    """
    rooms = {name: [action for action, told in spec.actions.items() if told.by_room] for name, spec in kind.obligations.items()}
    alone = {name for name, spec in kind.obligations.items() if spec.actions and len(rooms[name]) == len(spec.actions)}
    if not alone:
        return
    reports = {f"obligations.{name}.actions.{action}" for name, actions in rooms.items() for action in actions}
    ending = ending_of(proof.edges, but=reports, enough=(state for state in proof.edges if _may_go_back(kind, state)))
    waiting = [state for state in proof.edges if state in proof.ending and state not in ending and alone & dict(state.opened).keys()]
    for state in [state for state in waiting if alone >= dict(state.opened).keys()] or waiting:
        after, after_en = _way(kind, proof, state)
        for name in sorted(alone & dict(state.opened).keys()):
            told = kind.obligations[name].title.as_mapping()
            yield f"obligations.{name}", (
                f"“{told['zh']}”只由业务系统结束，它若一直不报告，办件就一直等下去，没有人能处理（{after}）；"
                "请写明 on_due（期限无条件适用，到期由人接着办），或给它一个由人办理的动作（如重试、终止并说明原因），或允许退回（operators: send_back）"
            ), (
                f'"{told["en"]}" is ended by a room alone, and while that reports nothing the case waits for ever with nobody to see to it '
                f"({after_en}); give it on_due (by a limit without a condition, people go on from there), or an action for people (to try again, "
                "or to give up and say why), or allow send_back in operators"
            )


def _may_go_back(kind: KindSpec, state: State) -> bool:
    """Tell whether somebody who owes something there may send the case back to an earlier phase."""
    seats = (spec for spec in map(kind.obligations.__getitem__, dict(state.opened)) if not spec.child and spec.who.person != "batch")
    return "send_back" in kind.operators and any(phase != state.phase for phase in state.been) and any(seats)


def _twice_the_opener(kind: KindSpec, proof: Proof) -> Iterator[Problem]:
    """Yield the groups of which one person, who opened the case, would owe two while each takes another person."""
    for group in (name for name, spec in kind.groups.items() if spec.distinct):
        own = {name for name, spec in kind.obligations.items() if spec.group == group and spec.who.person == "opener"}
        several = any(many for state in proof.edges for name, many in state.opened if name in own)
        if len(own) > 1 or several:
            yield f"groups.{group}", "要求由不同的人办理，却有几项都归提出人", "each takes another person, yet several fall to whoever opened the case"


def judge_class(
    kind: KindSpec, phase: str, names: tuple[str, ...], empty: frozenset[str], coming: tuple[str, ...] = ()
) -> tuple[str, str] | None:
    """Return why cases that stand so could be stranded, in Chinese and English; None if each can still end.

    `coming` names what opens again by itself at its next period. Nothing else is known of them: `empty` names fields of
    the kind that they may not have.
    """
    counts = Counter(names)
    opened = tuple(sorted((name, count > 1) for name, count in counts.items()))
    if not opened and not coming:
        return "移动后没有任何待办", "nobody would owe anything"
    pauses = any(effect.pause_clocks for _where, effects, _form, _group in blocks_of(kind) for effect in effects)
    stand = {(f"{STANDS}{name}", True) for name, _many in opened if pauses and kind.obligations[name].on_due}
    again = {(f"~{name}", True) for name in coming}
    proof = _prover(kind.model_dump_json(), empty).prove([State(phase, opened, frozenset({("#", True), *stand, *again}))])
    if not proof.complete:
        return "从这里起的状态太多，无法逐一证明", "there are too many states from here to prove"
    if not proof.dead:
        return None
    _where, zh, en = _told_dead(kind, proof, _nearest(proof))
    return zh, en


@lru_cache(maxsize=4)
def _prover(kind: str, empty: frozenset[str]) -> Prover:
    """Return the prover of a kind (as JSON); what it found of one class serves the next."""
    return Prover(KindSpec.model_validate_json(kind), empty)


def _once(problems: Iterator[Problem]) -> Iterator[Problem]:
    """Yield the first of each place, a few in all: more of the same help nobody."""
    found: dict[str, Problem] = {}
    for problem in problems:
        found.setdefault(problem[0], problem)
    yield from list(found.values())[:MOST_TOLD]


def _stuck(kind: KindSpec, proof: Proof) -> Iterator[Problem]:
    for state, where in proof.stuck:
        if state is None:
            yield where, "提出后可能没有任何待办", "after opening, nobody might owe anything"
            continue
        zh, en = _position(kind, state)
        after, after_en = _way(kind, proof, state)
        step, step_en = _step(kind, where)
        yield where, f"{zh}时，“{step}”之后可能没有任何待办（{after}）", f'where {en}, nobody might owe anything after "{step_en}" ({after_en})'


def _dead(kind: KindSpec, proof: Proof) -> Iterator[Problem]:
    for state in proof.dead:
        yield _told_dead(kind, proof, state)


def _nearest(proof: Proof) -> State:
    """Return the stranded state that is nearest to the beginning."""
    return min(proof.dead, key=lambda state: len(proof.path_to(state)))


def _told_dead(kind: KindSpec, proof: Proof, state: State) -> Problem:
    zh, en = _position(kind, state)
    after, after_en = _way(kind, proof, state)
    where = f"obligations.{state.opened[0][0]}" if state.opened else f"phases.{state.phase}"
    return where, f"{zh}时，办件永远无法办结（{after}）", f"where {en}, the case can never close ({after_en})"


def _position(kind: KindSpec, state: State) -> tuple[str, str]:
    phase = next((one.title.as_mapping() for one in kind.phases if one.code == state.phase), {"zh": state.phase, "en": state.phase})
    titles = [(kind.obligations[name].title.as_mapping(), many) for name, many in state.opened]
    zh = "、".join(f"“{title['zh']}”{'多件' if many else ''}" for title, many in titles) or "无"
    en = ", ".join(f'"{title["en"]}"{" (several)" if many else ""}' for title, many in titles) or "none"
    facts = sorted((key, value) for key, value in state.facts if key.isidentifier())
    given = "".join(f"，{key} = {_said(value, '其他')}" for key, value in facts)
    given_en = "".join(f", {key} = {_said(value, 'another')}" for key, value in facts)
    return f"阶段“{phase['zh']}”、待办{zh}{given}", f'the phase is "{phase["en"]}" and {en} is open{given_en}'


def _said(value: object, other: str) -> str:
    return other if value == "\x00" else "NULL" if value is None else str(value)


def _way(kind: KindSpec, proof: Proof, state: State) -> tuple[str, str]:
    steps = [_step(kind, where) for where in proof.path_to(state)]
    shown = [("…", "…"), *steps[-MOST_STEPS:]] if len(steps) > MOST_STEPS else steps
    return " → ".join(["经过：提出", *(zh for zh, _ in shown)]), " → ".join(["by: opened", *(en for _, en in shown)])


def _step(kind: KindSpec, where: str) -> tuple[str, str]:
    if where in _OWN_STEPS:
        return _OWN_STEPS[where]
    name, _, action = where.removeprefix("obligations.").partition(".")
    spec = kind.obligations[name]
    title = spec.title.as_mapping()
    if action == "on_due" and spec.on_due:
        told = spec.on_due.title.as_mapping()
        return f"{title['zh']}·期满：{told['zh']}", f"{title['en']}: time over, {told['en']}"
    if action == "child":
        return f"{title['zh']}·子办件办结", f"{title['en']}: sub-case ended"
    done = spec.actions[action.removeprefix("actions.")].title.as_mapping()
    return f"{title['zh']}·{done['zh']}", f"{title['en']}: {done['en']}"
