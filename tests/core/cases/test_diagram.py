"""Pictures of kinds: nothing lies on anything else, the same each time; and the BPMN file holds together."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.core.cases.random_kinds import random_kind
from yunhe.core.cases.rules.bpmn import DC, DD, DI, MODEL, bpmn_of
from yunhe.core.cases.rules.diagram import EM, Diagram, cut, draw_kind, measure, wrapped
from yunhe.core.cases.rules.drawing import svg_of
from yunhe.core.cases.types import KindSpec

ROOT = Path(__file__).resolve().parents[3]
KINDS = sorted([*ROOT.glob("examples/*/cases/*.yml"), *ROOT.glob("src/yunhe_packs/*/cases/*.yml")])
BESIDE = ("documentation", "sequenceFlow", "textAnnotation", "association", "multiInstanceLoopCharacteristics", "activationCondition")
SHOWN = (
    "startEvent", "endEvent", "boundaryEvent", "userTask", "serviceTask", "callActivity", "subProcess", "textAnnotation",
    "exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway", "sequenceFlow", "association",
)  # fmt: skip
Segment = tuple[tuple[int, int], tuple[int, int]]


def read(path: Path) -> KindSpec:
    return KindSpec.model_validate(yaml.safe_load(path.read_text("utf-8")))


def check_picture(diagram: Diagram) -> None:
    """No box on another, no line through a box, no two lines to different boxes on one another, all inside."""
    boxes = [(b.x, b.y, b.x + b.width, b.y + b.height) for b in diagram.boxes]
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    for box in boxes:
        assert box[0] >= 0 and box[2] <= diagram.width and box[1] >= 0 and box[3] <= diagram.height
    lines = [(arrow.target, segment) for arrow in diagram.arrows for segment in itertools.pairwise(arrow.points)]
    for _target, segment in lines:
        assert segment[0][0] == segment[1][0] or segment[0][1] == segment[1][1]
        assert not any(crosses(segment, box) for box in boxes)
    starts = {arrow.points[0] for arrow in diagram.arrows}
    for (target, one), (another, other) in itertools.combinations(lines, 2):
        together = one[0] == other[0] and one[0] in starts  # two ways on from one action leave together
        assert target == another or together or not overlap(one, other), (target, another, one, other)
    for left, right in itertools.pairwise(sorted((band.left, band.right) for band in diagram.bands)):
        assert left[1] < right[0]
    for drawn in diagram.boxes:
        assert all(measure(row.text) <= drawn.width - 20 for row in drawn.rows)


def crosses(segment: Segment, box: tuple[int, int, int, int]) -> bool:
    (x1, y1), (x2, y2) = segment
    return min(x1, x2) < box[2] and max(x1, x2) > box[0] and min(y1, y2) < box[3] and max(y1, y2) > box[1]


def overlap(one: Segment, other: Segment) -> bool:
    """Tell whether two straight pieces lie on one another for more than a point."""
    for axis in (0, 1):
        if one[0][axis] == one[1][axis] == other[0][axis] == other[1][axis]:
            a, b = sorted((one[0][1 - axis], one[1][1 - axis])), sorted((other[0][1 - axis], other[1][1 - axis]))
            return max(a[0], b[0]) < min(a[1], b[1])
    return False


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_is_drawn_and_exported(path: Path, language: str) -> None:
    kind = read(path)
    diagram = draw_kind(kind, language=language, roles={"data_leader": "数据工作负责人" * 4})
    check_picture(diagram)
    assert draw_kind(kind, language=language, roles={"data_leader": "数据工作负责人" * 4}) == diagram
    assert {box.place.name for box in diagram.boxes} >= kind.obligations.keys()
    svg = ET.fromstring(svg_of(diagram, title="<&>", description="x", alone=True, states={"start": "done"}))
    said = "".join(svg.itertext())
    assert all(phase.title.as_mapping()[language][:4] in said for phase in kind.phases)
    assert not [name for part in svg.iter() for name in part.attrib if name == "style" or name.startswith("on")]
    check_bpmn(bpmn_of(kind, language=language, roles={}))


@given(st.integers(0, 10**9))
def test_random_kinds_are_drawn_without_overlaps(seed: int) -> None:
    kind = random_kind(seed)
    check_picture(draw_kind(kind, language="zh", roles={}))
    check_bpmn(bpmn_of(kind, language="zh", roles={}))


def test_what_only_a_room_does_is_the_platforms_in_the_picture_and_the_export() -> None:
    kind = read(ROOT / "src" / "yunhe_packs" / "national" / "cases" / "data_request.yml")
    (waits,) = (name for name, spec in kind.obligations.items() if any(action.by_room for action in spec.actions.values()))
    for language, platform, opener in (("zh", "系统", "提出人"), ("en", "The platform", "Who opened it")):
        (box,) = (box for box in draw_kind(kind, language=language, roles={}).boxes if box.place.name == waits)
        assert next(row.text for row in box.rows if row.dim) == platform and opener not in [row.text for row in box.rows]
        root = ET.fromstring(bpmn_of(kind, language=language, roles={}))
        (task,) = (part for part in root.iter(f"{{{MODEL}}}serviceTask"))
        said = task.findtext(f"{{{MODEL}}}documentation") or ""
        assert task.attrib["id"] == f"n_{waits}" and said.startswith(platform) and opener not in said
    body = kind.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    actions = body["obligations"]["decide"]["actions"]
    name = next(iter(actions))
    actions[name]["by_room"] = True  # among actions of people
    mixed, title = KindSpec.model_validate(body), kind.obligations["decide"].actions[name].title.zh
    rows = [row.whole for box in draw_kind(mixed, language="zh", roles={}).boxes for row in box.rows]
    assert rows[rows.index(title) + 1] == "由系统办理" and f"- {title}（系统）" in bpmn_of(mixed, language="zh", roles={})


def test_the_checks_see_what_is_wrong() -> None:
    assert crosses(((0, 5), (20, 5)), (5, 0, 10, 10)) and not crosses(((0, 10), (20, 10)), (5, 0, 10, 10))
    assert overlap(((0, 5), (20, 5)), ((10, 5), (30, 5))) and not overlap(((0, 5), (20, 5)), ((20, 5), (30, 5)))
    text = bpmn_of(read(KINDS[0]), language="zh", roles={})
    for broken in (text.replace('targetRef="n_', 'targetRef="m_', 1), text.replace("<incoming>flow_1</incoming>", "", 1)):
        with pytest.raises(AssertionError):
            check_bpmn(broken)


def test_texts_fit_their_boxes() -> None:
    assert cut("受理", 100) == "受理"
    assert cut("一二三四五六七八九十", 5 * EM).endswith("…") and measure(cut("一二三四五六七八九十", 5 * EM)) <= 5 * EM
    assert wrapped("Mend and submit it again", 120) == ("Mend and submit", "it again")


def check_bpmn(text: str) -> None:
    """The structure rules of BPMN 2.0: ids, references both ways, a shape per node, an edge per flow, starts and ends."""
    root = ET.fromstring(text)
    ids = [part.attrib["id"] for part in root.iter() if "id" in part.attrib]
    assert len(ids) == len(set(ids)) and all(name.replace("_", "a").isalnum() and not name[0].isdigit() for name in ids)
    (process,) = root.findall(f"{{{MODEL}}}process")
    for scope in process.iter(f"{{{MODEL}}}subProcess"):
        assert scope.attrib["triggeredByEvent"] == "true" and len(scope.findall(f"{{{MODEL}}}startEvent")) == 1
        check_flow(scope)
    assert process.attrib["isExecutable"] == "false" and process.find(f"{{{MODEL}}}documentation") is not None
    check_flow(process)
    check_layout(root, process)


def check_flow(scope: ET.Element) -> None:
    """The flow of a process or sub-process holds together; every timer of a task leads on."""
    nodes = {n.attrib["id"]: n for n in scope if n.tag.removeprefix(f"{{{MODEL}}}") not in BESIDE}
    flows = {f.attrib["id"]: f for f in scope.findall(f"{{{MODEL}}}sequenceFlow")}
    for flow in flows.values():
        assert {flow.attrib["sourceRef"], flow.attrib["targetRef"]} <= nodes.keys()
    for name, node in nodes.items():
        tag = node.tag.removeprefix(f"{{{MODEL}}}")
        ins = [i.text for i in node.findall(f"{{{MODEL}}}incoming")]
        outs = [o.text for o in node.findall(f"{{{MODEL}}}outgoing")]
        assert sorted(map(str, ins)) == sorted(f for f, flow in flows.items() if flow.attrib["targetRef"] == name)
        assert sorted(map(str, outs)) == sorted(f for f, flow in flows.items() if flow.attrib["sourceRef"] == name)
        assert not (tag in ("startEvent", "boundaryEvent") and ins) and not (tag == "endEvent" and outs)
        if tag == "boundaryEvent":
            assert node.attrib["attachedToRef"] in nodes and len(outs) >= 1
        if tag == "subProcess":
            assert not ins and not outs
        if tag.endswith("Gateway"):
            assert ins and (outs or name.startswith("n_join"))  # a join whose rules open nothing ends there


def check_layout(root: ET.Element, process: ET.Element) -> None:
    """Every node has a shape, every flow an edge that begins and ends at its nodes; nothing lies on anything else."""
    parts = {p.attrib["id"]: p for p in process.iter() if p.tag.removeprefix(f"{{{MODEL}}}") in SHOWN}
    flows = {n: p for n, p in parts.items() if "sourceRef" in p.attrib}
    nodes = {n: p for n, p in parts.items() if n not in flows}
    shapes = {s.attrib["bpmnElement"]: s for s in root.iter(f"{{{DI}}}BPMNShape")}
    edges = {e.attrib["bpmnElement"]: e for e in root.iter(f"{{{DI}}}BPMNEdge")}
    assert shapes.keys() == nodes.keys() and edges.keys() == flows.keys()
    bounds = {}
    for name, shape in shapes.items():
        (box,) = shape.findall(f"{{{DC}}}Bounds")
        bounds[name] = tuple(int(box.attrib[part]) for part in ("x", "y", "width", "height"))
    for name, edge in edges.items():
        points = [(int(p.attrib["x"]), int(p.attrib["y"])) for p in edge.findall(f"{{{DD}}}waypoint")]
        assert len(points) >= 2
        for end, point in (("sourceRef", points[0]), ("targetRef", points[-1])):
            x, y, width, height = bounds[flows[name].attrib[end]]
            assert x <= point[0] <= x + width and y <= point[1] <= y + height, (name, end)
    check_places(root, nodes, flows, bounds, edges)


def check_places(
    root: ET.Element, nodes: dict[str, ET.Element], flows: dict[str, ET.Element], bounds: dict[str, tuple[int, ...]], edges: dict[str, ET.Element]
) -> None:
    """No node on another but a timer on its task, no name on a node or another name, no line through a node or a name."""
    boxes = {name: (x, y, x + width, y + height) for name, (x, y, width, height) in bounds.items()}
    labels = [tuple(int(box.attrib[part]) for part in ("x", "y", "width", "height")) for label in root.iter(f"{{{DI}}}BPMNLabel") for box in label]
    names = [(x, y, x + width, y + height) for x, y, width, height in labels]
    inside = {part.attrib["id"]: scope.attrib["id"] for scope in nodes.values() if scope.tag.endswith("subProcess") for part in scope if "id" in part.attrib}
    for one, other in itertools.combinations(boxes, 2):
        together = nodes[one].get("attachedToRef") == other or nodes[other].get("attachedToRef") == one
        together = together or inside.get(one) == other or inside.get(other) == one
        assert together or not meet(boxes[one], boxes[other]), (one, other)
    frames = {name for name, node in nodes.items() if node.tag.endswith("subProcess")}
    for name in names:
        assert [one for one, box in boxes.items() if one not in frames and meet(name, box)] == []
    assert [pair for pair in itertools.combinations(names, 2) if meet(*pair)] == []
    for flow, edge in edges.items():
        points = [(int(p.attrib["x"]), int(p.attrib["y"])) for p in edge.findall(f"{{{DD}}}waypoint")]
        ends = {flows[flow].attrib["sourceRef"], flows[flow].attrib["targetRef"]}
        ends |= {nodes[end].get("attachedToRef", "") for end in ends}
        for segment in itertools.pairwise(points):
            assert segment[0][0] == segment[1][0] or segment[0][1] == segment[1][1], (flow, points)
            assert [one for one, box in boxes.items() if one not in ends | frames and crosses(segment, box)] == [], flow
            assert [name for name in names if crosses(segment, name)] == [], flow


def meet(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
