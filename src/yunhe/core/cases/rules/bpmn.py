"""A kind as BPMN 2.0 with its layout, for reading in other tools: what runs is the kind, not this file.

Obligations are user tasks, those that only a room of the platform ends service tasks, sub-cases call activities; a choice of
actions is an exclusive gateway, what opens side by side a parallel one, a join that waits for all an inclusive one, any other
join a complex one with its condition. A limit is a timer on the border of its task, which ends it where the time lapses; each
outcome is an end event. A task for each of a list is a parallel multi-instance. What may come at any time is an event
sub-process: the opener's withdrawal ends the case, the clock of the whole case does not. Source: OMG formal/2011-01-03
(BPMN 2.0) clauses 10 and 12.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from yunhe.core.cases.rules.diagram import (
    OPENER,
    action_in_words,
    limit_in_words,
    recurrence_in_words,
    start_in_words,
    waits_for_platform,
    who_owes,
    whole_limits,
)
from yunhe.core.cases.rules.graph import (
    CLOCK,
    LAPSE,
    WITHDRAW,
    Graph,
    Place,
    Step,
    conditions_of,
    graph_of,
    when_to_withdraw,
)
from yunhe.core.cases.rules.layout import Line, lay_out
from yunhe.core.cases.rules.shapes import Item, Out, Shape, fan, label_size, node_of
from yunhe.core.cases.rules.wording import condition_in_words
from yunhe.core.cases.types import KindSpec, LimitSpec, ObligationSpec

MODEL, DI = "http://www.omg.org/spec/BPMN/20100524/MODEL", "http://www.omg.org/spec/BPMN/20100524/DI"
DC, DD = "http://www.omg.org/spec/DD/20100524/DC", "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LANGUAGE = "urn:yunhe:expression"
NOTE = {
    "zh": "本图由办件类型生成，供阅读和交换；实际运行的是办件类型本身（摘要值见平台），修改本图不改变流程。",
    "en": "Generated from the kind for reading and exchange. What runs is the kind itself; changing this file changes no procedure.",
}
REACHED = {"zh": "时限届满，办件继续", "en": "Time limit reached, the case goes on"}
OPERATORS = {"zh": "办件在办时还可以：{listed}", "en": "While a case is open it may also be: {listed}"}
OPERATOR_WORDS: Mapping[str, Mapping[str, str]] = {
    "hand_on": {"zh": "转办", "en": "handed on"}, "add_reviewer": {"zh": "加签", "en": "given a reviewer"},
    "send_back": {"zh": "退回", "en": "sent back"}, "retract": {"zh": "收回", "en": "retracted"},
    "remind": {"zh": "催办", "en": "reminded of"}, "escalate": {"zh": "督办", "en": "escalated"},
    "suspend": {"zh": "中止（依据须写明）", "en": "suspended, with its basis"}, "extend": {"zh": "延长时限", "en": "extended"},
    "merge": {"zh": "并案", "en": "merged"}, "split": {"zh": "拆分", "en": "split"},
}  # fmt: skip
DURATIONS = {"workdays": "P{}D", "days": "P{}D", "hours": "PT{}H"}
TAGS = {"start": "startEvent", "task": "userTask", "child": "callActivity", "join": "complexGateway", "end": "endEvent"}
REACHED_END = "end.reached"
LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `name` says what is done and `words` its condition; `when` is that condition ("" for none)."""

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
    roles: Mapping[str, str]
    graph: Graph
    items: dict[str, Item] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def make(self) -> None:
        """Make the nodes of the places, then what stands between them."""
        apart = {step.target for step in self.graph.steps} - {step.target for step in self.graph.steps if step.source != WITHDRAW}
        shown = [place for place in self.graph.places if place.kind not in ("withdraw", "clock") and place.name not in apart]
        for place in shown:
            title, said = place.title[self.language], place.says.get(self.language, "")
            said = "" if said in ("", title) else (f"（{said}）" if self.language == "zh" else f" ({said})")
            self.items[place.name] = Item(self._tag(place), title + said, self._band(place), place)
        for place in shown:
            ways: dict[str, list[Step]] = defaultdict(list)
            for step in self.graph.steps:
                if step.source == place.name:
                    ways[step.name].append(step)
            lapses = ways.pop(LAPSE, []) if place.kind != "join" else []
            self._leave(place, ways, self.graph.joined.get(place.name))
            for step in lapses:
                self._flow(place.name, step.target, "", step, LAPSE)
            spec = self.kind.obligations.get(place.name)
            if spec and spec.limits and not spec.on_due:
                self.items.setdefault(REACHED_END, Item("endEvent", REACHED[self.language], len(self.kind.phases)))
                self._flow(place.name, REACHED_END, port=LIMIT)

    def _tag(self, place: Place) -> str:
        """Return the element of a place. Only a join whose one rule waits for all is a plain one."""
        if place.kind == "join" and [rule.when for rule in self.kind.groups[place.code].rules] == ["open_count = 0"]:
            return "inclusiveGateway"
        if place.kind == "task" and waits_for_platform(self.kind.obligations[place.name]):
            return "serviceTask"
        return TAGS[place.kind]

    def _leave(self, place: Place, ways: Mapping[str, list[Step]], joined: str | None) -> None:
        source, conditional = place.name, any(self._when(step) for steps in ways.values() for step in steps)
        if place.kind != "join" and (len(ways) + bool(joined) > 1 or conditional):
            source = self._gateway(source, "exclusiveGateway", place)
        for steps in ways.values():
            title = steps[0].title[self.language] if place.kind != "start" else ""
            if len(steps) == 1:
                self._flow(source, steps[0].target, title, steps[0])
                continue
            plain = not any(step.when for step in steps)
            fork = self._gateway(source, "parallelGateway" if plain else "inclusiveGateway", place, title, steps[0])
            for step in steps:
                self._flow(fork, step.target, "", step, own=True)
        if joined:
            self._flow(source, joined)

    def _gateway(self, source: str, tag: str, place: Place, title: str = "", step: Step | None = None) -> str:
        name = f"{tag}.{next(self.numbers)}"
        self.items[name] = Item(tag, "", self._band(place), place)
        shared = Step(step.source, step.name, step.title, step.target) if step else None
        self._flow(source, name, title, shared)
        return name

    def _flow(self, source: str, target: str, name: str = "", step: Step | None = None, port: str = "", *, own: bool = False) -> None:
        """Add a flow; `own`: only the condition of the effect, those of its action stand before."""
        when = step.when if step and own else self._when(step) if step else ""
        told = self._words(when, step) if step and when and (own or self.items[source].tag not in ("complexGateway", "inclusiveGateway")) else ""
        said = f"{name}（{told}）" if name and told and self.language == "zh" else f"{name} ({told})" if name and told else name or told
        self.flows.append(Flow(f"flow_{next(self.numbers)}", source, target, said, when, port))

    def _when(self, step: Step) -> str:
        if step.source in self.items and self.items[step.source].tag == "inclusiveGateway":
            return step.when  # that all are done is the gateway itself
        found = conditions_of(self.kind, step)
        return found[0] if len(found) == 1 else " AND ".join(f"({one})" for one in found)

    def _words(self, when: str, step: Step) -> str:
        spec = self.kind.obligations.get(step.source)
        action = spec.actions.get(step.name) if spec else None
        return condition_in_words(when, self.kind, language=self.language, roles=self.roles, form=action.fields if action else ())

    def _band(self, place: Place) -> int:
        order = [phase.code for phase in self.kind.phases]
        return len(order) if place.kind == "end" else order.index(place.phase)


def bpmn_of(kind: KindSpec, *, language: str, roles: Mapping[str, str]) -> str:
    """Return the XML of a kind, with a shape for each node and an edge for each flow. `roles`: titles by code."""
    maker = _Maker(kind, language, roles, graph_of(kind))
    maker.make()
    root = Element("definitions", {"xmlns": MODEL, "xmlns:bpmndi": DI, "xmlns:dc": DC, "xmlns:di": DD, "xmlns:xsi": XSI,
                                   "id": "definitions", "targetNamespace": "urn:yunhe:case-kind", "exporter": "Yunhe"})  # fmt: skip
    if kind.withdrawal:
        SubElement(root, "message", {"id": "message_withdraw", "name": maker.graph.place(WITHDRAW).title[language]})
    process = SubElement(root, "process", {"id": f"process_{kind.code}", "name": kind.title.as_mapping()[language], "isExecutable": "false"})
    SubElement(process, "documentation").text = NOTE[language]
    for name, item in maker.items.items():
        _write_item(process, maker, name, item)
    for flow in maker.flows:
        _write_flow(process, flow.id, _from(flow), _id(flow.target), flow.name, flow.when)
    frames = _write_frames(process, maker)
    notes = _write_notes(process, maker)
    _draw(root, kind, maker, frames, notes)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _write_flow(scope: Element, name: str, source: str, target: str, title: str = "", when: str = "") -> None:
    told = {"id": name, "sourceRef": source, "targetRef": target}
    element = SubElement(scope, "sequenceFlow", told | ({"name": title} if title else {}))
    if when:
        SubElement(element, "conditionExpression", {"xsi:type": "tFormalExpression", "language": LANGUAGE}).text = when


def _write_item(process: Element, maker: _Maker, name: str, item: Item) -> None:
    told = {"id": _id(name), **({"name": item.name} if item.name else {})}
    spec = maker.kind.obligations.get(name)
    if spec and spec.child:
        told["calledElement"] = f"process_{spec.child.kind}"
    element = SubElement(process, item.tag, told)
    if spec:
        SubElement(element, "documentation").text = "\n".join(_said(maker, spec))
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
    if item.tag == "complexGateway" and item.place:
        rules = [rule.when for rule in maker.kind.groups[item.place.code].rules]
        asked = rules[0] if len(rules) == 1 else " OR ".join(f"({rule})" for rule in rules)
        SubElement(element, "activationCondition", {"xsi:type": "tFormalExpression", "language": LANGUAGE}).text = asked
    if spec and spec.limits:
        _write_timer(process, maker, name, spec)


def _said(maker: _Maker, spec: ObligationSpec) -> Iterator[str]:
    """Yield what a task says beside its name: who owes it, by when, how often, and what may be done in it."""
    yield " ".join(who_owes(maker.kind, spec, maker.language, maker.roles))
    yield from (_limit_said(maker, limit) for limit in spec.limits)
    if spec.recurs:
        yield recurrence_in_words(maker.kind, spec, maker.language)
    for action in spec.actions.values():
        whens = [condition_in_words(one.when, maker.kind, language=maker.language, roles=maker.roles, form=action.fields) for one in action.guards]
        yield " · ".join([f"- {action_in_words(spec, action, maker.language)}", *whens])


def _limit_said(maker: _Maker, limit: LimitSpec) -> str:
    when = condition_in_words(limit.when, maker.kind, language=maker.language, roles=maker.roles) if limit.when else ""
    return " ".join(filter(None, (limit_in_words(limit, maker.language), limit.basis or limit.use, when)))


def _write_timer(process: Element, maker: _Maker, name: str, spec: ObligationSpec) -> None:
    """Write the limits of a task as its timer: it ends the task where the time lapses, else it interrupts nothing."""
    port = LAPSE if spec.on_due else LIMIT
    words = spec.on_due.title.as_mapping()[maker.language] if spec.on_due else _limits_named(spec.limits, maker.language)
    told = {"id": _timer(name, port), "attachedToRef": _id(name), "cancelActivity": "true" if spec.on_due else "false", "name": words}
    element = SubElement(process, "boundaryEvent", told)
    SubElement(element, "documentation").text = "\n".join(_limit_said(maker, limit) for limit in spec.limits)
    for flow in maker.flows:
        if flow.source == name and flow.port:
            SubElement(element, "outgoing").text = flow.id
    _write_time(element, f"{_timer(name, port)}_time", spec.limits)


def _limits_named(limits: tuple[LimitSpec, ...], language: str) -> str:
    return " / ".join(limit_in_words(limit, language) for limit in limits)


def _write_time(element: Element, name: str, limits: tuple[LimitSpec, ...]) -> None:
    """Write a timer; a duration only where there is one. Days are workdays where the documentation says so."""
    timer = SubElement(element, "timerEventDefinition", {"id": name})
    if len(limits) == 1 and limits[0].amount is not None:
        duration = DURATIONS[limits[0].unit].format(limits[0].amount)
        SubElement(timer, "timeDuration", {"xsi:type": "tFormalExpression"}).text = duration


@dataclass(frozen=True, slots=True)
class _Frame:
    """An event sub-process: its title, what its start is called, how it ends."""

    name: str
    title: str
    begins: str
    ends: tuple[tuple[str, str], ...]


def _write_frames(process: Element, maker: _Maker) -> list[_Frame]:
    """Write what may come at any time of a case: each limit of the whole case, and the opener's withdrawal."""
    kind, language, frames = maker.kind, maker.language, []
    for number, limits in enumerate(whole_limits(kind)):
        begins = f"{_limits_named(limits, language)} {start_in_words(kind, limits[0], language)}"
        frame = _Frame(f"{CLOCK}.{number}", maker.graph.place(CLOCK).title[language], begins, ((REACHED[language], ""),))
        start = _write_frame(process, frame, "\n".join(_limit_said(maker, limit) for limit in limits), interrupts=False)
        _write_time(start, f"{_id(frame.name)}_time", limits)
        frames.append(frame)
    if kind.withdrawal:
        place = maker.graph.place(WITHDRAW)
        begins = f"{OPENER[language]} {when_to_withdraw(kind)[language]}"
        steps = [step for step in maker.graph.steps if step.source == WITHDRAW]
        frame = _Frame(WITHDRAW, place.title[language], begins, tuple((maker.graph.place(s.target).title[language], s.when) for s in steps))
        start = _write_frame(process, frame, begins, interrupts=True)
        SubElement(start, "messageEventDefinition", {"id": f"{_id(WITHDRAW)}_message", "messageRef": "message_withdraw"})
        frames.append(frame)
    return frames


def _write_frame(process: Element, frame: _Frame, said: str, *, interrupts: bool) -> Element:
    """Write an event sub-process and return its start event, which lacks its definition."""
    name = _id(frame.name)
    scope = SubElement(process, "subProcess", {"id": name, "name": frame.title, "triggeredByEvent": "true"})
    SubElement(scope, "documentation").text = said
    told = {"id": f"{name}_start", "name": frame.begins, "isInterrupting": "true" if interrupts else "false"}
    start = SubElement(scope, "startEvent", told)
    source, outs = f"{name}_start", [f"{name}_flow_{number}" for number in range(len(frame.ends))]
    if len(outs) > 1:
        SubElement(start, "outgoing").text = f"{name}_flow"
        source = f"{name}_choice"
        choice = SubElement(scope, "exclusiveGateway", {"id": source})
        SubElement(choice, "incoming").text = f"{name}_flow"
        for out in outs:
            SubElement(choice, "outgoing").text = out
        _write_flow(scope, f"{name}_flow", f"{name}_start", source)
    else:
        SubElement(start, "outgoing").text = outs[0]
    for number, (title, when) in enumerate(frame.ends):
        end = SubElement(scope, "endEvent", {"id": f"{name}_end_{number}", "name": title})
        SubElement(end, "incoming").text = outs[number]
        _write_flow(scope, outs[number], source, f"{name}_end_{number}", when=when)
    return start


def _write_notes(process: Element, maker: _Maker) -> list[tuple[str, str, str]]:
    """Write what no element of BPMN says: how often a task comes again, the generic operators. Return ids, texts, tasks."""
    notes = []
    for name, spec in maker.kind.obligations.items():
        if spec.recurs and name in maker.items:
            notes.append((f"{_id(name)}_recurs", recurrence_in_words(maker.kind, spec, maker.language), _id(name)))
    if maker.kind.operators:
        listed = ("、" if maker.language == "zh" else ", ").join(OPERATOR_WORDS[one][maker.language] for one in maker.kind.operators)
        notes.append(("note_operators", OPERATORS[maker.language].format(listed=listed), ""))
    for name, text, _task in notes:
        SubElement(SubElement(process, "textAnnotation", {"id": name}), "text").text = text
    for name, _text, task in notes:
        if task:
            SubElement(process, "association", {"id": f"{name}_to", "sourceRef": task, "targetRef": name})
    return notes


def _from(flow: Flow) -> str:
    return _timer(flow.source, flow.port) if flow.port else _id(flow.source)


def _shapes(maker: _Maker) -> dict[str, Shape]:
    """Return how each node stands: its flows leave it one under the other, each with its name over it."""
    found = {}
    for name, item in maker.items.items():
        outs = [Out(flow.id, flow.name, flow.port) for flow in maker.flows if flow.source == name]
        spec = maker.kind.obligations.get(name)
        timed = _limits_named(spec.limits, maker.language) if spec and not spec.on_due else ""
        timed = spec.on_due.title.as_mapping()[maker.language] if spec and spec.on_due else timed
        note = recurrence_in_words(maker.kind, spec, maker.language) if spec else ""
        found[name] = fan(item, [Out(out.flow, timed if out.port else out.name, out.port) for out in outs], note)
    return found


def _draw(root: Element, kind: KindSpec, maker: _Maker, frames: list[_Frame], notes: list[tuple[str, str, str]]) -> None:
    plane = SubElement(SubElement(root, "bpmndi:BPMNDiagram", {"id": "diagram"}), "bpmndi:BPMNPlane",
                       {"id": "plane", "bpmnElement": f"process_{kind.code}"})  # fmt: skip
    shapes = _shapes(maker)
    nodes = [node_of(name, maker.items[name].band, shape) for name, shape in shapes.items()]
    lines = {flow.id: Line(flow.source, flow.id, flow.target) for flow in maker.flows}
    layout = lay_out(nodes, list(lines.values()), head=8)
    for name, shape in shapes.items():
        x, y = layout.corners[name]
        _shape(plane, _id(name), x, y + shape.top, *shape.size, label=shape.label and (x + shape.label[0], y + shape.label[1], *shape.label[2:]))
        for out in shape.outs:
            if out.port:
                left, top = x + out.anchor[0], y + out.anchor[1]
                _shape(plane, _timer(name, out.port), left - 32, top - 16, 32, 32, label=(x + out.label[0], y + out.label[1], *out.label[2:]))
        if shape.note:
            _shape(plane, f"{_id(name)}_recurs", x, y + shape.note[0], shape.size[0], shape.note[1])
            edge = SubElement(plane, "bpmndi:BPMNEdge", {"id": f"{_id(name)}_recurs_to_di", "bpmnElement": f"{_id(name)}_recurs_to"})
            _points(edge, [(x + 16, y + shape.top + shape.size[1]), (x + 16, y + shape.note[0])])
    for flow in maker.flows:
        out = next(out for out in shapes[flow.source].outs if out.flow == flow.id)
        x, y = layout.corners[flow.source]
        way = [(x + across, y + down) for across, down in out.way] + list(layout.ways[lines[flow.id]][1:])
        into = way[-1][0] + shapes[flow.target].tip, way[-1][1]
        edge = SubElement(plane, "bpmndi:BPMNEdge", {"id": f"{flow.id}_di", "bpmnElement": flow.id})
        _points(edge, [*way[:-1], into])
        if flow.name:
            _label(edge, x + out.label[0], y + out.label[1], *out.label[2:])
    _draw_below(plane, frames, notes, layout.height)


def _draw_below(plane: Element, frames: list[_Frame], notes: list[tuple[str, str, str]], top: int) -> None:
    """Draw what belongs to no place in the flow in a row below it."""
    x = 32
    for frame in frames:
        name, many = _id(frame.name), len(frame.ends) > 1
        begins, ends = label_size(frame.begins, 160), [label_size(title, 160) for title, _when in frame.ends]
        middle = 24 + max(40, begins[0]) + (64 if many else 32)
        width, height = middle + 48 + max(wide for wide, _high in ends) + 24, 32 + max(40 + begins[1], 64 * len(ends)) + 16
        _shape(plane, name, x, top, width, height, expanded=True)
        start = x + 24 + max(40, begins[0]) // 2 - 20
        _shape(plane, f"{name}_start", start, top + 32, 40, 40, label=(x + 24, top + 76, *begins))
        if many:
            _shape(plane, f"{name}_choice", x + middle - 48, top + 28, 48, 48)
            _edge(plane, f"{name}_flow", [(start + 40, top + 52), (x + middle - 48, top + 52)])
        for number, size in enumerate(ends):
            down = top + 52 + 64 * number
            _shape(plane, f"{name}_end_{number}", x + middle + 4, down - 20, 40, 40, label=(x + middle + 48, down - size[1] // 2, *size))
            first = (x + middle, top + 52) if many else (start + 40, top + 52)
            turn = [(x + middle - 24, top + 76), (x + middle - 24, down)] if number else [first]
            _edge(plane, f"{name}_flow_{number}", [*turn, (x + middle + 4, down)])
        x += width + 32
    for name, text, task in notes:
        if not task:
            wide, high = label_size(text, 240)
            _shape(plane, name, x, top, wide + 24, high + 16)


def _edge(plane: Element, name: str, points: list[tuple[int, int]]) -> None:
    _points(SubElement(plane, "bpmndi:BPMNEdge", {"id": f"{name}_di", "bpmnElement": name}), points)


def _points(edge: Element, points: list[tuple[int, int]]) -> None:
    for x, y in points:
        SubElement(edge, "di:waypoint", {"x": str(x), "y": str(y)})


def _shape(
    plane: Element, element: str, x: int, y: int, width: int, height: int, *, label: tuple[int, int, int, int] | None = None, expanded: bool = False
) -> None:
    more = {"isExpanded": "true"} if expanded else {}
    shape = SubElement(plane, "bpmndi:BPMNShape", {"id": f"{element}_di", "bpmnElement": element, **more})
    SubElement(shape, "dc:Bounds", {"x": str(x), "y": str(y), "width": str(width), "height": str(height)})
    if label:
        _label(shape, *label)


def _label(part: Element, x: int, y: int, width: int, height: int) -> None:
    label = SubElement(part, "bpmndi:BPMNLabel")
    SubElement(label, "dc:Bounds", {"x": str(x), "y": str(y), "width": str(width), "height": str(height)})


def _timer(name: str, number: int | str) -> str:
    return f"{_id(name)}_limit_{number}"


def _id(name: str) -> str:
    """Return a name as an XML id."""
    return "n_" + "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in name)
