"""Reading typed values out of the tree; what does not fit becomes a problem and a default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yunhe.data.catalog.rules.problems import Problems, did_you_mean, list_words
from yunhe.data.catalog.rules.yamltree import Node

YES = frozenset({"true", "yes", "是", "on"})
NO = frozenset({"false", "no", "否", "off"})
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
BOUNDS = frozenset({"min", "max", "digits"})
DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
WHOLE = re.compile(r"^[+-]?[0-9]{1,15}$")
# What else officials write for a choice: the label, its short form, the guide's number.
OTHER_WORDS = {
    "无条件": "unconditional",
    "有条件": "conditional",
    "不共享": "refused",
    "不予": "refused",
    "每半年": "half_yearly",
    "每季": "quarterly",
    "不开放": "closed",
}


class Values:
    """The keys of one mapping, read one by one. `prefix` is put before a key in messages."""

    def __init__(self, node: Node, prefix: str, known: tuple[str, ...], problems: Problems) -> None:
        self.node = node
        self.prefix = prefix
        self.problems = problems
        self.read = node.keys if node.kind == "map" else {}
        if node.kind != "map":
            problems.add(node.line, prefix.rstrip(".") or "YAML", zh="“键: 值”的形式", en="keys and values", found=_kind(node))
        for key, value in self.read.items():
            if key not in known:
                problems.add(value.line, prefix + key, zh="已知的键名", en="a known key", found=key, **did_you_mean(key, known))

    def line(self, key: str) -> int:
        """Return the line of a key, or of the mapping when the key is absent."""
        return self.read[key].line if key in self.read else self.node.line

    def has(self, key: str) -> bool:
        """Tell whether the key holds something."""
        return key in self.read and not self.read[key].is_empty

    def text(self, key: str, *, most: int = 500, required: bool = False, pattern: str = "") -> str:
        """Return the text under `key`, "" when absent."""
        node = self.read.get(key)
        if node is None or node.is_empty or (node.kind == "text" and not node.text.strip()):
            if required:
                self._missing(key)
            return ""
        if node.kind != "text":
            self._bad(key, "一段文字", "a text", _kind(node))
            return ""
        return self._checked(key, node.text.strip(), most, pattern)

    def _checked(self, key: str, text: str, most: int, pattern: str) -> str:
        if len(text) > most:
            self._bad(key, f"不超过 {most} 字", f"at most {most} characters", f"{len(text)}")
        elif CONTROL.search(text):
            self._bad(key, "不含控制字符的文字", "text without control characters", repr(text))
        elif pattern and not re.fullmatch(pattern, text):
            self._bad(key, f"形如 {pattern}", f"the form {pattern}", text)
        else:
            return text
        return ""

    def flag(self, key: str, *, default: bool | None = None) -> bool | None:
        """Return true or false, or the default when absent."""
        text = self.text(key, most=10).lower()
        if text in YES or text in NO:
            return text in YES
        if text:
            self._bad(key, "true 或 false", "true or false", text)
        return default

    def number(self, key: str, *, least: int, most: int, default: int | None = None) -> int | None:
        """Return the whole number under `key`, or the default when absent."""
        text = self.text(key, most=40)
        if not text:
            return default
        if WHOLE.match(text) and least <= int(text) <= most:
            return int(text)
        self._bad(key, f"{least} 至 {most} 的整数", f"a whole number {least} to {most}", text)
        return default

    def choice(self, key: str, labels: Mapping[str, Mapping[str, str]], *, default: str = "", required: bool = False) -> Any:
        """Return the code of a choice; its Chinese or English label is taken as well."""
        text = self.text(key, most=40, required=required)
        if not text:
            return default
        for code, label in labels.items():
            if text.lower() in (code, label["zh"], label["en"].lower()):
                return code
        other = OTHER_WORDS.get(text, "")
        if other in labels:
            return other
        self._bad(key, list_words(labels, "zh") + "之一", "one of " + ", ".join(labels), text, **did_you_mean(text, labels))
        return default

    def texts(self, key: str, *, most: int = 200, count: int = 100) -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        node = self.read.get(key)
        if node is None or node.is_empty:
            return ()
        nodes = (node,) if node.kind == "text" else node.items
        if node.kind == "map" or any(one.kind != "text" for one in nodes):
            self._bad(key, "文字的列表", "a list of texts", _kind(node))
            return ()
        if len(nodes) > count:
            self._bad(key, f"不超过 {count} 项", f"at most {count} items", f"{len(nodes)}")
            return ()
        return tuple(filter(None, (self._checked(key, one.text, most, "") for one in nodes)))

    def arguments(self, key: str) -> dict[str, object]:
        """Return the arguments of a rule: bounds as numbers, lists as lists of texts, the rest as text."""
        node = self.read.get(key)
        if node is None or node.is_empty:
            return {}
        if node.kind != "map":
            self._bad(key, "“参数: 值”的形式", "arguments with values", _kind(node))
            return {}
        return {name: self._argument(f"{key}.{name}", name, one) for name, one in node.keys.items()}

    def _argument(self, path: str, name: str, node: Node) -> object:
        if node.kind == "list" and all(one.kind == "text" for one in node.items):
            return [self._checked(path, one.text, 200, "") for one in node.items]
        if node.kind != "text":
            self._bad(path, "文字、数字或文字的列表", "a text, a number or a list of texts", _kind(node))
            return ""
        text = self._checked(path, node.text, 2000, "")
        if name not in BOUNDS or DECIMAL.fullmatch(text) is None:
            return text
        return float(text) if "." in text else int(text)

    def nodes(self, key: str, *, most: int) -> tuple[Node, ...]:
        """Return the parts of a list."""
        node = self.read.get(key)
        if node is None or node.is_empty:
            return ()
        if node.kind != "list":
            self._bad(key, "一个列表（每行以 - 开头）", "a list (lines that start with -)", _kind(node))
            return ()
        if len(node.items) > most:
            self._bad(key, f"不超过 {most} 项", f"at most {most} items", f"{len(node.items)}")
            return ()
        return node.items

    def _missing(self, key: str) -> None:
        self.problems.add(
            self.line(key), self.prefix + key, zh="必填", en="a value", found="",
            next_zh=f"请写上 {key}。", next_en=f"Write {key}.",
        )

    def _bad(self, key: str, zh: str, en: str, found: object, **step: str) -> None:
        self.problems.add(self.line(key), self.prefix + key, zh=zh, en=en, found=found, **step)


def _kind(node: Node) -> str:
    return {"text": node.text, "list": f"list ({len(node.items)})", "map": f"mapping ({len(node.keys)})"}[node.kind]
