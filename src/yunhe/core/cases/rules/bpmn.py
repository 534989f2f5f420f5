"""A kind as BPMN 2.0 with its layout, for reading in other tools: what runs is the kind, not this file.

Obligations are user tasks, sub-cases call activities; a choice of actions is an exclusive gateway, what opens side by
side a parallel one; a limit is a timer on the border of its task; each outcome is an end event. A task for each of a
list is a parallel multi-instance. Source: OMG formal/2011-01-03 (BPMN 2.0) clauses 10 and 12.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from yunhe.core.cases.rules.diagram import limit_in_words, who_owes
from yunhe.core.cases.rules.graph import LAPSE, Graph, Place, graph_of
from yunhe.core.cases.rules.layout import Layout, Line, Node, lay_out
from yunhe.core.cases.types import KindSpec, LimitSpec

MODEL, DI = "http://www.omg.org/spec/BPMN/20100524/MODEL", "http://www.omg.org/spec/BPMN/20100524/DI"
DC, DD = "http://www.omg.org/spec/DD/20100524/DC", "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NOTE = {
    "zh": "本图由办件类型生成，供阅读和交换；实际运行的是办件类型本身（摘要值见平台），修改本图不改变流程。",
    "en": "Generated from the kind for reading and exchange. What runs is the kind itself; changing this file changes no procedure.",
}
DURATIONS = {"workdays": "P{}D", "days": "P{}D", "hours": "PT{}H"}
SIZES = {"task": (160, 80), "child": (160, 80), "gateway": (48, 48), "event": (40, 40), "timer": (32, 32)}


@dataclass(frozen=True, slots=True)
class Item:
    """A node of the process: the tag of its element, its name, and the band where it stands."""

    id: str
    tag: str
    name: str
    band: int
    size: tuple[int, int]
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `when` is its condition ("" for none)."""

    id: str
    source: str
    target: str
    name: str = ""
    when: str = ""
    port: str = ""


@dataclass
class _Maker:
    kind: KindSpec
    language: str
    graph: Graph
    items: dict[str, Item] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def make(self) -> None:
        """Make the nodes of the places, then what stands between them."""
        for place in self.graph.places:
            self.items[place.name] = self._item(place)
        for place in self.graph.places:
            groups: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
            lapses: list[tuple[str, str, str]] = []
            for step in self.graph.steps:
                if step.source == place.name:
                    ways = lapses if step.name == LAPSE and place.kind != "join" else groups[step.name]
                    ways.append((step.title[self.language], step.target, step.when))
            joined = self.graph.joined.get(place.name)
            if joined:
                groups[""].append(("", joined, ""))
            self._leave(self._source(place) if groups else place.name, groups)
            for title, target, when in lapses:
                self._flow(place.name, target, title, when, LAPSE)

    def _item(self, place: Place) -> Item:
        tag = {"start": "startEvent", "task": "userTask", "child": "callActivity", "join": "parallelGateway", "end": "endEvent"}[place.kind]
        size = SIZES[{"task": "task", "child": "child", "join": "gateway"}.get(place.kind, "event")]
        return Item(_id(place.name), tag, place.title[self.language], self._band(place), size, place)

    def _source(self, place: Place) -> str:
        """Return from where the ways out of a place leave: after a join, a gateway asks its rules."""
        if place.kind != "join":
            return place.name
        return self._gateway(place.name, "exclusiveGateway", place)

    def _leave(self, source: str, groups: Mapping[str, list[tuple[str, str, str]]]) -> None:
        ways = {name: targets for name, targets in groups.items() if targets}
        place = self.items[source].place
        if len(ways) > 1:
            source = self._gateway(source, "exclusiveGateway", place)
        for targets in ways.values():
            title = targets[0][0]
            if len(targets) == 1:
                self._flow(source, targets[0][1], title, targets[0][2])
                continue
            plain = not any(when for _, _, when in targets)
            fork = self._gateway(source, "parallelGateway" if plain else "inclusiveGateway", place, title)
            for _title, target, when in targets:
                self._flow(fork, target, when, when)

    def _gateway(self, source: str, tag: str, place: Place | None, title: str = "") -> str:
        name = f"{tag}.{next(self.numbers)}"
        band = self._band(place) if place else 0
        self.items[name] = Item(_id(name), tag, "", band, SIZES["gateway"], place)
        self._flow(source, name, title)
        return name

    def _flow(self, source: str, target: str, name: str = "", when: str = "", port: str = "") -> None:
        self.flows.append(Flow(f"flow_{next(self.numbers)}", source, target, name, when, port))

    def _band(self, place: Place) -> int:
        order = [phase.code for phase in self.kind.phases]
        return len(order) if place.kind == "end" else order.index(place.phase)


def bpmn_of(kind: KindSpec, *, language: str, roles: Mapping[str, str]) -> str:
    """Return the XML of a kind, with a shape for each node and an edge for each flow. `roles`: titles by code."""
    maker = _Maker(kind, language, graph_of(kind))
    maker.make()
    nodes = [_node(name, item) for name, item in maker.items.items()]
    lines = {flow.id: Line(flow.source, flow.port, flow.target) for flow in maker.flows}
    layout = lay_out(nodes, list(dict.fromkeys(lines.values())), head=8)
    root = Element("definitions", {"xmlns": MODEL, "xmlns:bpmndi": DI, "xmlns:dc": DC, "xmlns:di": DD, "xmlns:xsi": XSI,
                                   "id": "definitions", "targetNamespace": "urn:yunhe:case-kind", "exporter": "Yunhe"})  # fmt: skip
    process = SubElement(root, "process", {"id": f"process_{kind.code}", "name": kind.title.as_mapping()[language], "isExecutable": "false"})
    SubElement(process, "documentation").text = NOTE[language]
    for name, item in maker.items.items():
        _write_item(process, maker, name, item, roles)
    for flow in maker.flows:
        told = {"id": flow.id, "sourceRef": _from(flow), "targetRef": _id(flow.target)}
        element = SubElement(process, "sequenceFlow", told | ({"name": flow.name} if flow.name else {}))
        if flow.when:
            SubElement(element, "conditionExpression", {"xsi:type": "tFormalExpression"}).text = flow.when
    _draw(root, kind, maker, layout, lines)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _write_item(process: Element, maker: _Maker, name: str, item: Item, roles: Mapping[str, str]) -> None:
    told = {"id": item.id, **({"name": item.name} if item.name else {})}
    spec = maker.kind.obligations.get(name)
    if spec and spec.child:
        told["calledElement"] = f"process_{spec.child.kind}"
    element = SubElement(process, item.tag, told)
    if spec:
        words = [" ".join(who_owes(maker.kind, spec.who, maker.language, roles))]
        words += [f"{limit_in_words(limit, maker.language)} {limit.basis}".strip() for limit in spec.limits]
        SubElement(element, "documentation").text = "\n".join(words)
    elif item.tag == "endEvent" and item.place:
        SubElement(element, "documentation").text = item.place.code
    for flow in maker.flows:
        if flow.target == name:
            SubElement(element, "incoming").text = flow.id
    for flow in maker.flows:
        if flow.source == name and not flow.port:
            SubElement(element, "outgoing").text = flow.id
    if spec and spec.who.each:
        SubElement(element, "multiInstanceLoopCharacteristics", {"isSequential": "false"})
    for number, limit in enumerate(spec.limits if spec else ()):
        _write_timer(process, maker, name, number, limit)
    if spec and spec.on_due:
        _write_lapse(process, maker, name, spec.on_due.title.as_mapping()[maker.language])


def _write_lapse(process: Element, maker: _Maker, name: str, title: str) -> None:
    """Write what happens by itself when the time is over: a timer that ends its task."""
    element = SubElement(process, "boundaryEvent", {"id": _timer(name, LAPSE), "attachedToRef": _id(name), "cancelActivity": "true", "name": title})
    for flow in maker.flows:
        if flow.source == name and flow.port:
            SubElement(element, "outgoing").text = flow.id
    SubElement(element, "timerEventDefinition", {"id": f"{_timer(name, LAPSE)}_time"})


def _from(flow: Flow) -> str:
    return _timer(flow.source, flow.port) if flow.port else _id(flow.source)


def _node(name: str, item: Item) -> Node:
    middle = item.size[1] // 2 // 8 * 8
    return Node(name, item.band, *item.size, {"": middle, LAPSE: item.size[1] - 8}, middle + 4)


def _write_timer(process: Element, maker: _Maker, name: str, number: int, limit: LimitSpec) -> None:
    """Write a limit as a timer that interrupts nothing; days are workdays where its documentation says so."""
    told = {"id": _timer(name, number), "attachedToRef": _id(name), "cancelActivity": "false", "name": limit_in_words(limit, maker.language)}
    element = SubElement(process, "boundaryEvent", told)
    SubElement(element, "documentation").text = " ".join(filter(None, (limit_in_words(limit, maker.language), limit.basis or limit.use, limit.when)))
    timer = SubElement(element, "timerEventDefinition", {"id": f"{_timer(name, number)}_time"})
    duration = DURATIONS[limit.unit].format(limit.amount) if limit.amount is not None else "P0D"
    SubElement(timer, "timeDuration", {"xsi:type": "tFormalExpression"}).text = duration


def _draw(root: Element, kind: KindSpec, maker: _Maker, layout: Layout, lines: Mapping[str, Line]) -> None:
    diagram = SubElement(root, "bpmndi:BPMNDiagram", {"id": "diagram"})
    plane = SubElement(diagram, "bpmndi:BPMNPlane", {"id": "plane", "bpmnElement": f"process_{kind.code}"})
    for name, item in maker.items.items():
        x, y = layout.corners[name]
        _shape(plane, item.id, x, y, *item.size)
        spec = kind.obligations.get(name)
        for number, _limit in enumerate(spec.limits if spec else ()):
            width, height = SIZES["timer"]
            _shape(plane, _timer(name, number), x + 8 + number * (width + 4), y + item.size[1] - height // 2, width, height)
        if spec and spec.on_due:
            width, height = SIZES["timer"]
            _shape(plane, _timer(name, LAPSE), x + item.size[0] - width // 2, y + item.size[1] - 8 - height // 2, width, height)
    for flow in maker.flows:
        edge = SubElement(plane, "bpmndi:BPMNEdge", {"id": f"{flow.id}_di", "bpmnElement": flow.id})
        for x, y in layout.ways[lines[flow.id]]:
            SubElement(edge, "di:waypoint", {"x": str(x), "y": str(y)})


def _shape(plane: Element, element: str, x: int, y: int, width: int, height: int) -> None:
    shape = SubElement(plane, "bpmndi:BPMNShape", {"id": f"{element}_di", "bpmnElement": element})
    SubElement(shape, "dc:Bounds", {"x": str(x), "y": str(y), "width": str(width), "height": str(height)})


def _timer(name: str, number: int | str) -> str:
    return f"{_id(name)}_limit_{number}"


def _id(name: str) -> str:
    """Return a name as an XML id."""
    return "n_" + "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in name)
