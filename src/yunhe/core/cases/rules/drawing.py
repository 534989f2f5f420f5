"""A diagram as SVG: inline on pages (colours by the classes of the theme) or as a file of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from yunhe.core.cases.rules.diagram import IN_LINE, ROW, Box, Diagram, cut

MARKS: Mapping[str, str] = {"now": "●", "done": "✓", "next": ""}
TIP = (
    '<marker id="{name}-tip" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" viewBox="0 0 8 8" refX="7" refY="4" orient="auto">'
    '<path class="yh-d-tip" d="M0,0 L8,4 L0,8 z"/></marker>'
)
# What the theme says by classes, for a file that has no theme beside it.
ALONE = """
.yh-d-band{fill:#f6f5f1;stroke:#e3e0d7}.yh-d-phase{font-weight:600;fill:#45555d}.yh-d-box{fill:#fff;stroke:#8a969b}
.yh-d-end .yh-d-box{fill:#e6f3ec;stroke:#226446}.yh-d-join .yh-d-box{fill:#fdf3dc;stroke:#7d5300}.yh-d-start .yh-d-box{fill:#0d6472;stroke:none}
.yh-d-child .yh-d-box{stroke-width:3}.yh-d-withdraw .yh-d-box,.yh-d-clock .yh-d-box{fill:#f6f5f1;stroke-dasharray:6 3}
.yh-d-title{font-weight:600;fill:#17242b}.yh-d-dim{fill:#56656c}.yh-d-way{fill:#0d6472}
.yh-d-line{fill:none;stroke:#45555d;stroke-width:1.4}.yh-d-if{stroke-dasharray:5 3}.yh-d-tip{fill:#45555d}
text{font:13px "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
"""


def svg_of(
    diagram: Diagram,
    *,
    title: str,
    description: str,
    name: str = "diagram",
    states: Mapping[str, str] | None = None,
    gone: Collection[tuple[str, str]] = (),
    told: Mapping[str, tuple[str, ...]] | None = None,
    alone: bool = False,
) -> str:
    """Return the picture. `name` makes its ids unique on a page.

    `states` says of a node whether it is now, done or next, `gone` names the ways that were gone by node and port, `told`
    is what happened at a node.
    """
    size = f'width="{diagram.width}" height="{diagram.height}" viewBox="0 0 {diagram.width} {diagram.height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="yh-diagram" {size} role="img" aria-labelledby="{name}-title {name}-text">',
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>',
        f"<style>{ALONE}</style>" if alone else "",
        f"<defs>{TIP.format(name=name)}</defs>",
        *_bands(diagram),
        *_arrows(diagram, name, states or {}, gone),
        *(part for box in diagram.boxes for part in _box(box, (states or {}).get(box.place.name, ""), gone, (told or {}).get(box.place.name, ()))),
        "</svg>",
    ]
    return "".join(parts)


def _bands(diagram: Diagram) -> Iterator[str]:
    for band in diagram.bands:
        width = band.right - band.left
        yield f'<rect class="yh-d-band" x="{band.left}" y="4" width="{width}" height="{diagram.height - 8}" rx="6"/>'
        yield f'<text class="yh-d-phase" x="{band.left + 8}" y="24">{escape(band.title)}</text>'


def _arrows(diagram: Diagram, name: str, states: Mapping[str, str], gone: Collection[tuple[str, str]]) -> Iterator[str]:
    """Draw the lines, those that were gone last: a line is gone where its way was and where it leads was reached."""
    been = [(arrow.source, arrow.port) in gone and states.get(arrow.target) in ("now", "done") for arrow in diagram.arrows]
    for arrow, was in sorted(zip(diagram.arrows, been, strict=True), key=lambda pair: pair[1]):
        way = " L".join(f"{x},{y}" for x, y in arrow.points)
        kind = " ".join(("yh-d-line", *["yh-d-if"] * arrow.conditional, *["yh-d-gone"] * was))
        yield f'<path class="{kind}" d="M{way}" marker-end="url(#{name}-tip)"/>'


def _box(box: Box, state: str, gone: Collection[tuple[str, str]], told: tuple[str, ...]) -> Iterator[str]:
    kind = f"yh-d-node yh-d-{box.place.kind}" + (f" yh-d-is-{state}" if state else "")
    whole = "\n".join([*(f"{row.whole}\n{row.more}".strip() for row in box.rows), *told])
    yield f"<g class={quoteattr(kind)}><title>{escape(whole or box.called)}</title>"
    if box.place.kind == "start":
        yield f'<circle class="yh-d-box" cx="{box.x + box.width // 2}" cy="{box.y + box.height // 2}" r="14"/>'
    else:
        corner = {"end": box.height // 2, "join": 0}.get(box.place.kind, 6)
        yield f'<rect class="yh-d-box" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{corner}"/>'
    for at, row in enumerate(box.rows):
        style = "yh-d-dim" if row.dim else "yh-d-way" if row.port else "yh-d-title"
        anchor = f'x="{box.x + box.width - 10}" text-anchor="end"' if row.port else f'x="{box.x + 10}"'
        text = cut(f"✓ {row.whole}", IN_LINE) if row.port and (box.place.name, row.port) in gone else row.text
        yield f'<text class="{style}" {anchor} y="{box.y + 21 + ROW * at}">{escape(text)}</text>'
    if MARKS.get(state):
        yield f'<text class="yh-d-mark" x="{box.x + box.width - 8}" y="{box.y + 20}" text-anchor="end">{MARKS[state]}</text>'
    yield "</g>"
