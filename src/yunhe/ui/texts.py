"""Find every text of templates and Python that people read, to know which lack an English one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

SOURCE = Path(__file__).resolve().parents[1]
CALLS = frozenset(
    {"_", "__", "_t", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
)
QUOTED = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
IN_TEMPLATE = re.compile(rf"(?<![\w])(_|gettext|ngettext|pgettext)\(\s*{QUOTED}(?:\s*,\s*{QUOTED})?")


def find_texts(root: Path = SOURCE) -> dict[str, list[str]]:
    """Return msgid (as a .mo file names it) → the places that use it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*")):
        if "static" in path.parts or path.suffix not in (".html", ".py"):
            continue
        source = path.read_text("utf-8")
        texts = _in_template(source) if path.suffix == ".html" else _in_python(source)
        for line, msgid in texts:
            found[msgid].append(f"{path.relative_to(root)}:{line}")
    return dict(found)


def _in_template(source: str) -> Iterator[tuple[int, str]]:
    code = templatize(source)
    for match in IN_TEMPLATE.finditer(code):
        first, second = (ast.literal_eval(text) if text else None for text in match.group(2, 3))
        # templatize doubles per cent signs as gettext's format strings want them
        yield code.count("\n", 0, match.start()) + 1, _msgid(match.group(1), first, second)


def _in_python(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if name in CALLS and texts:
            yield node.lineno, _msgid(name, texts[0], texts[1] if len(texts) > 1 else None)


def _msgid(call: str, first: str, second: str | None) -> str:
    if call.startswith("ngettext"):
        return f"{first}\x00{second}"
    return f"{first}\x04{second}" if call.startswith("pgettext") else first
