"""The picture of a kind: bands of phases, a box for each obligation with its actions, arrows from them, joins, ends.

Sizes come from the texts, so a picture is made for one language. Drawing is the doors'.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from yunhe.core.cases.rules.graph import LAPSE, OVER, Graph, Place, graph_of
from yunhe.core.cases.rules.layout import Layout, Line, Node, lay_out
from yunhe.core.cases.types import KindSpec, LimitSpec, WhoSpec

BOX, ROUND, END, ROW, EM = 168, 32, 136, 24, 13
IN_LINE = BOX - 20
UNITS: Mapping[str, Mapping[str, str]] = {
    "workdays": {"zh": "个工作日", "en": "workday"}, "days": {"zh": "个自然日", "en": "calendar day"}, "hours": {"zh": "小时", "en": "hour"},
}  # fmt: skip
BODIES: Mapping[str, Mapping[str, str]] = {
    "applicant": {"zh": "申请单位", "en": "Applicant"}, "owner": {"zh": "办理单位", "en": "Handling body"},
    "bureau": {"zh": "数据主管部门", "en": "Data bureau"}, "each": {"zh": "各{list}", "en": "Each of {list}"},
}  # fmt: skip
BATCH = {"zh": "所在的批量办件", "en": "The batch it is in"}
DATED = {"zh": "按现行规定", "en": "as in force"}
OPENER = {"zh": "提出人", "en": "Who opened it"}
WITHIN = {"zh": "时限", "en": "within"}
CHILD = {"zh": "子办件", "en": "Sub-case"}
ENDED = {"zh": "办结", "en": "Ended"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text in a box; `port` names where its arrows leave ("" for none); `whole` is the text uncut."""

    text: str
    whole: str
    port: str = ""
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A placed box with its lines of text."""

    place: Place
    x: int
    y: int
    width: int
    height: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A placed arrow; `conditional`: it is taken only where a condition holds."""

    source: str
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
    steps = {Line(s.source, s.name if graph.place(s.source).kind != "start" else "", s.target): bool(s.when) for s in graph.steps}
    steps |= {Line(member, "", join): False for member, join in graph.joined.items()}
    layout = lay_out(nodes, list(steps))
    boxes = tuple(Box(p, *layout.corners[p.name], layout.nodes[p.name].width, layout.nodes[p.name].height, rows[p.name]) for p in graph.places)
    arrows = tuple(Arrow(line.source, line.target, way, steps[line]) for line, way in layout.ways.items())
    return Diagram(graph, boxes, arrows, _bands(kind, layout, language), layout.width, layout.height)


def who_owes(kind: KindSpec, who: WhoSpec, language: str, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Return who owes an obligation, in words: whose organisation, and which roles of it."""
    if who.person:
        return ((OPENER if who.person == "opener" else BATCH)[language],)
    listed = next((field.title.as_mapping()[language] for field in kind.fields if field.name == who.each), "")
    return BODIES[who.organization][language].format(list=listed), " / ".join(roles.get(role, role) for role in who.roles)


def limit_in_words(limit: LimitSpec, language: str) -> str:
    """Return how long a limit is, in words."""
    return DATED[language] if limit.amount is None else amount_in_words(limit.amount, limit.unit)[language]


def amount_in_words(amount: int, unit: str) -> dict[str, str]:
    """Return an amount of a limit's unit in both languages."""
    said = UNITS[unit]
    return {"zh": f"{amount} {said['zh']}", "en": f"{amount} {said['en']}{'' if amount == 1 else 's'}"}


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
    at = space if space > at // 2 else at
    return text[:at].rstrip(), text[at:].lstrip()


def measure(text: str) -> int:
    """Return how wide a text will be at most: full for wide signs, two thirds for the others. Units: px."""
    return sum(EM if unicodedata.east_asian_width(sign) in "WF" else EM * 2 // 3 for sign in text)


def _rows(kind: KindSpec, graph: Graph, place: Place, language: str, roles: Mapping[str, str]) -> tuple[Row, ...]:
    title = place.title[language]
    if place.kind == "start":
        return ()
    if place.kind == "end":
        more = (_row(place.says[language], END - 32, dim=True),) if place.says else ()
        return _row(title, END - 32), *more
    if place.kind == "join":
        return _row(title), *(_row(title, port=name) for name, title in _ways(graph, place.name, language).items())
    spec = kind.obligations[place.name]
    found = [_row(line) for line in wrapped(f"{title} ×N" if spec.who.each else title, IN_LINE)]
    found += [_row(line, dim=True) for line in who_owes(kind, spec.who, language, roles)]
    if place.kind == "child":
        found.append(_row(f"{CHILD[language]} {place.code}", dim=True))
    if spec.limits:
        words = " / ".join(limit_in_words(limit, language) for limit in spec.limits)
        found.append(_row(f"{WITHIN[language]} {words}", dim=True))
    found += [_row(action.title.as_mapping()[language], port=name) for name, action in spec.actions.items()]
    if spec.on_due:
        found.append(_row(OVER[language] + spec.on_due.title.as_mapping()[language], port=LAPSE))
    return tuple(found)


def _ways(graph: Graph, source: str, language: str) -> dict[str, str]:
    """Return the titles of the ways out of a node, each once."""
    return {step.name: step.title[language] for step in graph.steps if step.source == source}


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

