"""The import graph of a source tree, read from its syntax trees (also imports inside functions and under TYPE_CHECKING)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@dataclass(frozen=True, slots=True)
class Import:
    """One import: `importer` and `imported` are full module names, `name` what `from module import name` took."""

    importer: str
    imported: str
    line: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def read_imports(source: Path) -> list[Import]:
    """Return every import of the modules under `source`."""
    modules = {_module_name(source, path): path for path in sorted(source.rglob("*.py"))}
    packages = frozenset(name for name, path in modules.items() if path.name == "__init__.py")
    found: list[Import] = []
    for name, path in modules.items():
        found.extend(_imports_of(name, path, packages))
    return found


def _module_name(source: Path, path: Path) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports_of(name: str, path: Path, packages: frozenset[str]) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _base(name, path, node)
            for alias in node.names:
                # `from package import module` names the module, `from module import name` the module it is in.
                if base in packages:
                    yield Import(name, f"{base}.{alias.name}", node.lineno)
                else:
                    yield Import(name, base, node.lineno, alias.name)
        elif isinstance(node, ast.Call) and _is_import_module(node):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Import(name, first.value, node.lineno)


def _base(name: str, path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_import_module(node: ast.Call) -> bool:
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in {"import_module", "__import__"}


def is_within(module: str, package: str) -> bool:
    """Tell whether `module` is `package` or lies under it."""
    return module == package or module.startswith(package + ".")
