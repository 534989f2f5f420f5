"""The picture of a kind: bands of phases, a box for each obligation with its actions, arrows from them, joins, ends.

Sizes come from the texts, so a picture is made for one language. Drawing is the doors'.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from yunhe.core.cases.rules.graph import LAPSE, OVER, Graph, Place, conditions_of, graph_of, when_to_withdraw
from yunhe.core.cases.rules.layout import Layout, Line, Node, lay_out
from yunhe.core.cases.rules.lengths import amount_in_words
from yunhe.core.cases.rules.wording import condition_in_words
from yunhe.core.cases.types import ActionSpec, KindSpec, LimitSpec, ObligationSpec

BOX, ROUND, END, ROW, EM = 168, 32, 136, 24, 13
IN_LINE = BOX - 20
NO_START = "、，。；：）》”！？"  # signs that no line begins with
BODIES: Mapping[str, Mapping[str, str]] = {
    "applicant": {"zh": "申请单位", "en": "Applicant"}, "owner": {"zh": "办理单位", "en": "Handling body"},
    "bureau": {"zh": "数据主管部门", "en": "Data bureau"}, "each": {"zh": "各{list}", "en": "Each of {list}"},
}  # fmt: skip
BATCH = {"zh": "所在的批量办件", "en": "The batch it is in"}
DATED = {"zh": "按现行规定", "en": "as in force"}
OPENER = {"zh": "提出人", "en": "Who opened it"}
PLATFORM = {"zh": "系统", "en": "The platform"}
DOES = {"zh": "由系统办理", "en": "by the platform"}
BY_PLATFORM = {"zh": "{title}（系统）", "en": "{title} (the platform)"}
WITHIN = {"zh": "时限", "en": "within"}
CHILD = {"zh": "子办件", "en": "Sub-case"}
ENDED = {"zh": "办结", "en": "Ended"}
OPENED = {"zh": "自提出起", "en": "from the opening"}
FROM = {"zh": "自“{action}”起", "en": "from “{action}”"}
ONLY = {"zh": "须：{condition}", "en": "only if: {condition}"}
EVERY: Mapping[str, Mapping[str, str]] = {
    "day": {"zh": "每日一次", "en": "every day"}, "week": {"zh": "每周一次", "en": "every week"},
    "month": {"zh": "每月一次", "en": "every month"}, "quarter": {"zh": "每季度一次", "en": "every quarter"},
    "half_year": {"zh": "每半年一次", "en": "every half year"}, "year": {"zh": "每年一次", "en": "every year"},
}  # fmt: skip
UNTIL = {"zh": "{every}，到“{until}”为止", "en": "{every}, until “{until}”"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text in a box; `port` names where its arrows leave ("" for none); `whole` is the text uncut, `more` stands behind it."""

    text: str
    whole: str
    port: str = ""
    dim: bool = False
    more: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A placed box with its lines of text; `called` is the node's title in the picture's language."""

    place: Place
    x: int
    y: int
    width: int
    height: int
    rows: tuple[Row, ...]
    called: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A placed arrow from a port of its source; `conditional`: it is taken only where a condition holds."""

    source: str
    port: str
    target: str
    points: tuple[tuple[int, int], ...]
    conditional: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A phase as a band: its title, code, left and right."""

    code: str
    title: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """A kind drawn for one language."""

    graph: Graph
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    bands: tuple[Band, ...]
    width: int
    height: int


def draw_kind(kind: KindSpec, *, language: str, roles: Mapping[str, str]) -> Diagram:
    """Return the picture of a kind. `roles`: what people read for a role's code."""
    graph = graph_of(kind)
    rows = {place.name: _rows(kind, graph, place, language, roles) for place in graph.places}
    bands = _band_numbers(kind, graph)
    nodes = [_node(place, rows[place.name], bands[place.name]) for place in graph.places]
    plain = {place.name for place in graph.places if place.kind in ("start", "withdraw")}
    joins = {place.name for place in graph.places if place.kind == "join"}  # what a rule asks is its line's text
    steps = {
        Line(s.source, "" if s.source in plain else s.name, s.target): bool(s.when if s.source in joins else conditions_of(kind, s))
        for s in graph.steps
    }
    steps |= {Line(member, "", join): False for member, join in graph.joined.items()}
    layout = lay_out(nodes, list(steps))
    sizes = {name: (node.width, node.height) for name, node in layout.nodes.items()}
    boxes = tuple(Box(p, *layout.corners[p.name], *sizes[p.name], rows[p.name], p.title[language]) for p in graph.places)
    arrows = tuple(Arrow(line.source, line.port, line.target, way, steps[line]) for line, way in layout.ways.items())
    return Diagram(graph, boxes, arrows, _bands(kind, layout, language), layout.width, layout.height)


def who_owes(kind: KindSpec, spec: ObligationSpec, language: str, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Return who owes an obligation, in words: whose organisation, and which roles of it; the platform where nobody else ends it."""
    who = spec.who
    if waits_for_platform(spec):
        return (PLATFORM[language],)
    if who.person:
        return ((OPENER if who.person == "opener" else BATCH)[language],)
    listed = next((field.title.as_mapping()[language] for field in kind.fields if field.name == who.each), "")
    return BODIES[who.organization][language].format(list=listed), " / ".join(roles.get(role, role) for role in who.roles)


def waits_for_platform(spec: ObligationSpec) -> bool:
    """Tell whether only a room of the platform ends an obligation: all its actions are reported, none is taken by people."""
    return spec.child is None and bool(spec.actions) and all(action.by_room for action in spec.actions.values())


def action_in_words(spec: ObligationSpec, action: ActionSpec, language: str) -> str:
    """Return what an action is called; one that the platform takes, among those of people, with that."""
    title = action.title.as_mapping()[language]
    if not action.by_room or waits_for_platform(spec):
        return title
    return BY_PLATFORM[language].format(title=title)


def limit_in_words(limit: LimitSpec, language: str) -> str:
    """Return how long a limit is, in words."""
    return DATED[language] if limit.amount is None else amount_in_words(limit.amount, limit.unit)[language]


def start_in_words(kind: KindSpec, limit: LimitSpec, language: str) -> str:
    """Return from when on a limit of the whole case runs, in words."""
    actions = (action for o in kind.obligations.values() for name, action in o.actions.items() if name == limit.starts_with)
    first = next(actions, None)
    return FROM[language].format(action=first.title.as_mapping()[language]) if first else OPENED[language]


def recurrence_in_words(kind: KindSpec, spec: ObligationSpec, language: str) -> str:
    """Return how often an obligation comes again, in words; "" for once."""
    if spec.recurs is None:
        return ""
    every, recurs = EVERY[spec.recurs.every][language], spec.recurs
    until = next((field.title.as_mapping()[language] for field in kind.fields if field.name == recurs.until), "")
    return UNTIL[language].format(every=every, until=until) if until else every


def cut(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis where it would be wider. Units: px."""
    if measure(text) <= width:
        return text
    kept = ""
    for sign in text:
        if measure(kept + sign) > width - EM:
            return f"{kept.rstrip()}…"
        kept += sign
    return kept


def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Return the text on one line or two; a second one that is still too wide is cut where it is shown. Units: px."""
    if measure(text) <= width:
        return (text,)
    at = next(at for at in range(len(text), 0, -1) if measure(text[:at]) <= width)
    space = text.rfind(" ", 1, at + 1)
    in_word = text[at - 1].isascii() and text[at].isascii() and text[at - 1].isalnum() and text[at].isalnum()
    at = space if space > (0 if in_word else at // 2) else at
    while at > 1 and text[at] in NO_START:
        at -= 1
    return text[:at].rstrip(), text[at:].lstrip()


def measure(text: str) -> int:
    """Return how wide a text will be at most: full for wide signs, two thirds for the others. Units: px."""
    return sum(EM if unicodedata.east_asian_width(sign) in "WF" else EM * 2 // 3 for sign in text)


def _rows(kind: KindSpec, graph: Graph, place: Place, language: str, roles: Mapping[str, str]) -> tuple[Row, ...]:
    title = place.title[language]
    if place.kind == "start":
        return ()
    if place.kind == "end":
        more = (_row(place.says[language], END - 32, dim=True),) if place.says and place.says[language] != title else ()
        return _row(title, END - 32), *more
    if place.kind == "join":
        return _row(title), *(_row(title, port=name) for name, title in _ways(graph, place.name, language).items())
    if place.kind == "withdraw":
        lines = (OPENER[language], *wrapped(when_to_withdraw(kind)[language], IN_LINE))
        return _row(title), *(_row(line, dim=True) for line in lines)
    if place.kind == "clock":
        heads = tuple(_row(line) for line in wrapped(title, IN_LINE))
        return heads + tuple(row for started in whole_limits(kind) for row in _clock_rows(kind, started, language, roles))
    spec = kind.obligations[place.name]
    found = [_row(line) for line in wrapped(f"{title} ×N" if spec.who.each else title, IN_LINE)]
    found += [_row(line, dim=True) for said in who_owes(kind, spec, language, roles) for line in wrapped(said, IN_LINE)]
    if place.kind == "child":
        found.append(_row(f"{CHILD[language]} {place.code}", dim=True))
    if spec.limits:
        words = " / ".join(limit_in_words(limit, language) for limit in spec.limits)
        found += [_row(line, dim=True) for line in wrapped(f"{WITHIN[language]} {words}", IN_LINE)]
    found += [_row(line, dim=True) for line in wrapped(recurrence_in_words(kind, spec, language), IN_LINE) if line]
    for name, action in spec.actions.items():
        found.append(_row(action.title.as_mapping()[language], port=name))
        found += [_row(DOES[language], dim=True)] if action.by_room and not waits_for_platform(spec) else []
        told = [condition_in_words(guard.when, kind, language=language, roles=roles, form=action.fields) for guard in action.guards]
        found += [_row(line, dim=True) for one in told for line in wrapped(ONLY[language].format(condition=one), IN_LINE)]
    if spec.on_due:
        found.append(_row(OVER[language] + spec.on_due.title.as_mapping()[language], port=LAPSE))
    return tuple(found)


def _ways(graph: Graph, source: str, language: str) -> dict[str, str]:
    """Return the titles of the ways out of a node, each once."""
    return {step.name: step.title[language] for step in graph.steps if step.source == source}


def whole_limits(kind: KindSpec) -> list[tuple[LimitSpec, ...]]:
    """Return the limits of the whole case, those together that start with the same: of these the first that applies counts."""
    found: dict[str, tuple[LimitSpec, ...]] = {}
    for limit in kind.limits:
        found[limit.starts_with] = (*found.get(limit.starts_with, ()), limit)
    return list(found.values())


def _clock_rows(kind: KindSpec, limits: tuple[LimitSpec, ...], language: str, roles: Mapping[str, str]) -> Iterator[Row]:
    """Yield limits of the whole case in lines; which rule says so, and when, stands behind them."""
    for limit in limits:
        words = limit_in_words(limit, language)
        when = condition_in_words(limit.when, kind, language=language, roles=roles) if limit.when else ""
        more = " · ".join(filter(None, (when, limit.basis or limit.use)))
        yield Row(cut(words, IN_LINE), words, dim=True, more=more)
    yield _row(start_in_words(kind, limits[0], language), dim=True)


def _row(text: str, width: int = IN_LINE, *, port: str = "", dim: bool = False) -> Row:
    return Row(cut(text, width), text, port, dim)


def _node(place: Place, rows: tuple[Row, ...], band: int) -> Node:
    if place.kind == "start":
        return Node(place.name, band, ROUND, ROUND, {"": ROUND // 2})
    exits = {row.port: 16 + ROW * at for at, row in enumerate(rows) if row.port}
    height = 8 + ROW * len(rows)
    if place.kind == "end":  # lines come in at its tip, on the half step
        return Node(place.name, band, END, height, {}, height // 2 // 8 * 8 + 4)
    return Node(place.name, band, BOX, height, {"": 16, **exits})


def _band_numbers(kind: KindSpec, graph: Graph) -> dict[str, int]:
    """Return the band of each node: its phase's; every end stands in the last one."""
    order = {phase.code: at for at, phase in enumerate(kind.phases)}
    return {place.name: len(order) if place.kind == "end" else order[place.phase] for place in graph.places}


def _bands(kind: KindSpec, layout: Layout, language: str) -> tuple[Band, ...]:
    titles = [(phase.code, phase.title.as_mapping()[language]) for phase in kind.phases] + [("", ENDED[language])]
    found = []
    for number, (left, right) in sorted(layout.bands.items()):
        code, title = titles[number]
        found.append(Band(code, cut(title, right - left - 8), left, right))
    return tuple(found)

