"""The laws of the house as functions: each takes an import graph and returns the breaches as sentences."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.architecture.graph import Import, is_within

# Top to bottom; inside a floor, left may import right.
FLOORS: tuple[str, ...] = (
    "web", "cli", "settings",
    "data.exchange", "data.lake", "data.quality", "data.catalog", "data.standards",
    "core.registers", "core.cases", "core.notices", "core.packs", "core.attachments", "core.organizations", "core.jobs",
    "core.evidence", "core.keys", "core.statements",
    "ui", "gateway", "client", "engine", "crypto", "kernel",
)  # fmt: skip
ROOMS = tuple(name for name in FLOORS if name.startswith(("data.", "core.")))
FACES = frozenset({"api", "types", "errors"})
# The outbox is a face of its own beside the queue's: `outbox.publish`, `outbox.subscribe`.
# The field by which any room's form takes files is one of attachments' faces, too.
MORE_FACES = {"core.jobs": frozenset({"outbox"}), "core.attachments": frozenset({"forms"})}
WITHOUT_DJANGO = ("kernel", "crypto", "engine", "gateway", "client")
DJANGO = ("django", "ninja", "django_tasks", "django_tasks_db", "django_htmx")
ROW_READERS = "yunhe.engine.rows"
ROW_READERS_CALLERS = ("yunhe.data.exchange",)
DUCK = "yunhe.engine.duck"
MOST_FUNCTION_LINES = 80
MOST_MODULE_LINES = 500


def place_of(module: str) -> str | None:
    """Return the folder of FLOORS that a module lies in, or None (outside, or a folder nobody placed)."""
    return next((name for name in FLOORS if is_within(module, f"yunhe.{name}")), None)


def unplaced_folders(package: Path) -> list[str]:
    """Every folder of the house has its place; a floor's folder (core, data) is placed by its rooms."""
    names = {str(path.parent.relative_to(package)).replace("/", ".") for path in package.rglob("*.py")} - {"."}
    tops = {".".join(name.split(".")[: 2 if name.startswith(("core.", "data.")) else 1]) for name in names}
    return sorted(f"{name} has no place in the floors" for name in tops - {*FLOORS, "core", "data"})


def upward_imports(graph: Iterable[Import]) -> list[str]:
    order = {name: at for at, name in enumerate(FLOORS)}
    found = []
    for edge in graph:
        high, low = place_of(edge.importer), place_of(edge.imported)
        if high and low and order[low] < order[high]:
            found.append(f"{edge}: {low} lies above {high}")
    return found


def breached_faces(graph: Iterable[Import]) -> list[str]:
    """Another room is met at its face: api, types, errors; `web` may wire its urls."""
    found = []
    for edge in graph:
        room, importer = place_of(edge.imported), place_of(edge.importer)
        if room not in ROOMS or room == importer or importer is None:
            continue
        inside = edge.imported.removeprefix(f"yunhe.{room}").lstrip(".").split(".")[0]
        allowed = FACES | MORE_FACES.get(room, frozenset()) | ({"urls"} if importer == "web" else frozenset())
        if inside not in allowed:
            found.append(f"{edge}: only {', '.join(sorted(allowed))} of {room} are public")
    return found


def rings(graph: Iterable[Import]) -> list[str]:
    """No two folders of the house import one another, directly or around."""
    edges: dict[str, set[str]] = {name: set() for name in FLOORS}
    for edge in graph:
        high, low = place_of(edge.importer), place_of(edge.imported)
        if high and low and high != low:
            edges[high].add(low)
    return [f"{start} is in a ring" for start in FLOORS if start in _reached(edges, start)]


def _reached(edges: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(edges[name])
    return seen


def django_below_the_line(graph: Iterable[Import]) -> list[str]:
    return [
        f"{edge}: {place_of(edge.importer)} knows no Django"
        for edge in graph
        if place_of(edge.importer) in WITHOUT_DJANGO and any(is_within(edge.imported, name) for name in DJANGO)
    ]


def kernel_beyond_the_standard_library(graph: Iterable[Import]) -> list[str]:
    return [
        f"{edge}: kernel is standard library only"
        for edge in graph
        if is_within(edge.importer, "yunhe.kernel")
        and not is_within(edge.imported, "yunhe.kernel")
        and edge.imported.split(".")[0] not in sys.stdlib_module_names
    ]


def client_beyond_crypto_and_kernel(graph: Iterable[Import]) -> list[str]:
    allowed = ("yunhe.client", "yunhe.crypto", "yunhe.kernel")
    return [
        f"{edge}: client imports crypto and kernel only"
        for edge in graph
        if is_within(edge.importer, "yunhe.client")
        and is_within(edge.imported, "yunhe")
        and not any(is_within(edge.imported, name) for name in allowed)
    ]


def duckdb_importers(graph: Iterable[Import]) -> list[str]:
    """duckdb has one importer, and that one is the engine's own: rooms call the engine's named functions."""
    found = [f"{e}: only {DUCK} may" for e in graph if is_within(e.imported, "duckdb") and e.importer != DUCK]
    found += [
        f"{e}: only the engine may"
        for e in graph
        if is_within(e.imported, DUCK) and not is_within(e.importer, "yunhe.engine")
    ]
    return found


def callers_of_row_readers(graph: Iterable[Import]) -> list[str]:
    """Row values leave by data.exchange only."""
    return [
        f"{edge}: row values leave by data.exchange only"
        for edge in graph
        if is_within(edge.imported, ROW_READERS)
        and not any(is_within(edge.importer, name) for name in (*ROW_READERS_CALLERS, ROW_READERS))
    ]


def upward_foreign_keys(foreign_keys: Sequence[tuple[str, str, str, bool]]) -> list[str]:
    """Foreign keys to another room: downward, PROTECT, no name at the other end.

    Shape: (from room, to room, name, is_protected_and_nameless) per key, rooms as in FLOORS.
    """
    order = {name: at for at, name in enumerate(FLOORS)}
    found = []
    for source, target, name, is_plain in foreign_keys:
        if source == target or source not in order or target not in order:
            continue
        if order[target] < order[source]:
            found.append(f"{name}: {target} lies above {source}")
        if not is_plain:
            found.append(f"{name}: wants on_delete=PROTECT and related_name='+'")
    return found


def oversized(source: Path) -> list[str]:
    """No function above 80 lines, no module above 500."""
    found = []
    for path in sorted(source.rglob("*.py")):
        text = path.read_text("utf-8")
        if "/migrations/" in str(path):
            continue
        lines = text.count("\n")
        if lines > MOST_MODULE_LINES:
            found.append(f"{path.relative_to(source)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    found.append(f"{path.relative_to(source)}:{node.lineno} {node.name}: {length} lines")
    return found
