"""Safe YAML with line numbers: no tags, no aliases, no surprises of types, bounded in depth and size.

Scalars follow the core schema of YAML 1.2.2 (10.3.2) without octal and hexadecimal numbers: `no` is
text, `0301` keeps its zero, and a date stays text for the model to read.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from yunhe.core.packs.rules.problems import problem, said_in_chinese
from yunhe.core.packs.types import PackProblem

MAX_DEPTH = 32
MAX_VALUES = 200_000
ONE_DOCUMENT = "one document per file"
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?\Z")
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
Place = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlRefused(Exception):
    """Carries the one problem for which a text was not read."""

    def __init__(self, found: PackProblem) -> None:
        self.problem = found
        super().__init__(found.say("en"))


@dataclass(slots=True)
class Document:
    """The value of a YAML text, and the line of each value by its place."""

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line_of(self, place: Place) -> int:
        """Return the line of a place, or of the nearest place around it."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return 1


def read_yaml(data: bytes, *, file: str) -> Document:
    """Return one YAML document. Raises: YamlRefused with file, line and path."""
    text = decode(data, file=file)
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        detail = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise YamlRefused(problem(file, line, "", "bad_yaml", detail=said_in_chinese(detail), detail_en=detail)) from None
    return reader.document


def decode(data: bytes, *, file: str) -> str:
    """Return UTF-8 text without its byte order mark. Raises: YamlRefused at the line of the bad byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlRefused(problem(file, line, "", "not_utf8", offset=error.start)) from None


@dataclass(slots=True)
class _Frame:
    value: Any
    place: Place
    key: str | None = None


class _Reader:
    """Builds the value from parse events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.document = Document(None)
        self._stack: list[_Frame] = []
        self._count = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                self._refuse(event, "alias")
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse(event, "bad_yaml", detail=said_in_chinese(ONE_DOCUMENT), detail_en=ONE_DOCUMENT)
            case yaml.ScalarEvent():
                self._check(event)
                self._put(event, self._scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check(event)
                self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()

    def _check(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse(event, "alias")
        self._count += 1
        if self._count > MAX_VALUES:
            self._refuse(event, "too_many", limit=MAX_VALUES)

    def _open(self, event: Any, value: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, "too_deep", limit=MAX_DEPTH)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._refuse(event, "key_not_text")
        place = self._put(event, value)
        self._stack.append(_Frame(value, place))

    def _put(self, event: Any, value: Any) -> Place:
        """Set the value where the reader stands and return its place."""
        line = event.start_mark.line + 1
        if not self._stack:
            self.document.value = value
            self.document.lines[()] = line
            return ()
        top = self._stack[-1]
        if isinstance(top.value, list):
            place = (*top.place, len(top.value))
            top.value.append(value)
        elif top.key is None:
            return self._set_key(event, top)
        else:
            place = (*top.place, top.key)
            top.value[top.key] = value
            top.key = None
        self.document.lines.setdefault(place, line)
        return place

    def _set_key(self, event: Any, top: _Frame) -> Place:
        key = event.value
        if key in top.value:
            self._refuse(event, "duplicate_key", key=key)
        top.key = key
        place = (*top.place, key)
        self.document.lines[place] = event.start_mark.line + 1
        return place

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.style:  # quoted or block: text, whatever it looks like
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.match(text):
            return int(text)
        number = float(text) if FLOAT.match(text) else math.inf
        return number if math.isfinite(number) else text

    def _here(self) -> Place:
        """Return the place of the value that is being read."""
        if not self._stack:
            return ()
        top = self._stack[-1]
        if isinstance(top.value, list):
            return (*top.place, len(top.value))
        return (*top.place, top.key) if top.key is not None else top.place

    def _refuse(self, event: Any, code: str, **facts: Any) -> None:
        path = ".".join(str(part) for part in self._here())
        raise YamlRefused(problem(self.file, event.start_mark.line + 1, path, code, **facts))
