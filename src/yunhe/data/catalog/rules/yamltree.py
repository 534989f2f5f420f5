"""YAML as a tree that knows its lines: plain values only, no tags, no aliases, no key twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from yunhe.data.catalog.rules.problems import Problems

LARGEST_CHARACTERS = 4_000_000
DEEPEST = 8
# libyaml reads ten times faster; the pure loader says the same where it is missing.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """One value with its line. `text` for scalars, `items` for lists, `keys` for mappings."""

    kind: Literal["text", "list", "map"]
    line: int
    text: str = ""
    quoted: bool = False
    items: tuple[Node, ...] = ()
    keys: dict[str, Node] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was written: an empty scalar, ~ or null."""
        return self.kind == "text" and not self.quoted and self.text in ("", "~", "null")


class Stop(Exception):
    """Reading cannot go on; the problem is noted."""


def read_tree(text: str, problems: Problems) -> Node | None:
    """Return the document as a tree, or None with the reason in `problems`."""
    if not _is_plain_text(text, problems):
        return None
    try:
        return _Composer(problems).document(yaml.parse(text, Loader=LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", "") or error).replace("\n", " ")
        problems.add(mark.line + 1 if mark else 0, "YAML", zh="一份 YAML 文本", en="a YAML text", found=reason)
    except Stop:
        pass
    return None


def _is_plain_text(text: str, problems: Problems) -> bool:
    if len(text) > LARGEST_CHARACTERS:
        problems.add(0, "YAML", zh=f"不超过 {LARGEST_CHARACTERS} 个字符", en=f"at most {LARGEST_CHARACTERS} characters", found=len(text))
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        problems.add(line, "YAML", zh="完整的 UTF-8 文本", en="complete UTF-8 text", found=f"U+{ord(text[error.start]):04X}")
        return False
    return True


class _Composer:
    """Builds the tree out of the parser's events, refusing what a contract has no use for."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def document(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._stop(event, "YAML", "一个文件只写一份约定", "one contract in a file", "---")
                root = self._node(next(events), events, 0)
        if root is None:
            self.problems.add(1, "YAML", zh="一份约定", en="a contract", found="")
            raise Stop
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        self._refuse_extras(event, depth)
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return Node("text", line, text=event.value, quoted=event.style in ("'", '"', "|", ">"))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(one := next(events), yaml.SequenceEndEvent):
                items.append(self._node(one, events, depth + 1))
            return Node("list", line, items=tuple(items))
        return Node("map", line, keys=self._mapping(events, depth))

    def _mapping(self, events: Iterator[Any], depth: int) -> dict[str, Node]:
        keys: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(event, "YAML", "文字作键名", "a word as key", "list or mapping")
            if event.value in keys:
                self._stop(event, event.value, "每个键只写一次", "every key once", event.value)
            keys[event.value] = self._node(next(events), events, depth + 1)
        return keys

    def _refuse_extras(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._stop(event, "YAML", "不含引用（& 与 *）的 YAML", "YAML without anchors and aliases", f"&{event.anchor}")
        if getattr(event, "tag", None) and event.tag != "!":
            self._stop(event, "YAML", "不含类型标记（!）的 YAML", "YAML without tags", event.tag)
        if depth > DEEPEST:
            self._stop(event, "YAML", f"不超过 {DEEPEST} 层", f"at most {DEEPEST} levels", f"> {DEEPEST}")

    def _stop(self, event: Any, name: str, zh: str, en: str, found: str) -> None:
        self.problems.add(event.start_mark.line + 1, name, zh=zh, en=en, found=found)
        raise Stop
