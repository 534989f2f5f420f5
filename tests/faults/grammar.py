"""Writes configuration as somebody with bad intentions would: half of it right, so that the other half is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

NASTY = (
    "__class__", "().__class__.__bases__[0]", "data.__dict__", "actor.id.__len__", "{{7*7}}", "{% load x %}", "${7*7}", "#{7*7}",
    "%(x)s", "{0.__class__}", "../../etc/passwd", "..\\..\\x", "/etc/passwd", "file:///etc/passwd", "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "'; DROP TABLE cases_case; --", "' OR ''='", "eval('1')",
    "__import__('os').system('id')", "lambda: 1", "!!python/object/apply:os.system ['id']", "1" * 400, "9" * 40, "1e999", "-1e-999",
    "(" * 300, "[" * 300, "NOT " * 400, "1+" * 500 + "1", "a" * 5000, "\u202e\u0000", "\ud800", "𝔘" * 50, "", " ", "\n", "null", "true",
    "case.data", "form.", ".x", "data.", "member.rank", "group.open_count", "*", "~", "=1+1", "@SUM(1)", "+1", "-", "2026-13-45", "0x1F", "NaN", "Infinity",
)  # fmt: skip
NAMES = ("amount", "days", "answer", "items", "actor_id", "opener_id", "case_phase", "form_text", "open_count", "count_agreed", "score_mean")
CALLS = ("UPPER", "LENGTH", "COALESCE", "ROUND", "SUBSTRING", "NOW", "DATE", "IF", "open", "getattr", "exec", "pg_sleep", "load_extension", "read_csv")
OPERATORS = ("=", "<>", "<", ">=", "+", "-", "*", "/", "%", "||", "AND", "OR", "IN", "LIKE", "IS", "BETWEEN", "NOT", ".", "->", "::", ":=", "=>", ";")


class Writer:
    """One writer per seed; whatever it writes can be written again."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)

    def nasty(self) -> str:
        return self.dice.choice(NASTY)

    def expression(self, depth: int = 4) -> str:
        """Return an expression, or what looks like one."""
        roll = self.dice.random()
        if depth == 0 or roll < 0.25:
            return self.dice.choice((self.dice.choice(NAMES), str(self.dice.randint(-9, 10**6)), "'x'", "NULL", "TRUE", self.nasty()))
        if roll < 0.7:
            return f"({self.expression(depth - 1)} {self.dice.choice(OPERATORS)} {self.expression(depth - 1)})"
        if roll < 0.85:
            return f"{self.dice.choice(CALLS)}({', '.join(self.expression(depth - 1) for _ in range(self.dice.randint(0, 3)))})"
        return f"CASE WHEN {self.expression(depth - 1)} THEN {self.expression(depth - 1)} ELSE {self.nasty()} END"

    def mutated(self, value: Any) -> Any:
        """Return a JSON value with one or two of its leaves, keys or branches replaced."""
        for _ in range(self.dice.randint(1, 2)):
            value = self._once(value)
        return value

    def _once(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self.dice.random() < 0.93:
            key = self.dice.choice(sorted(value))
            if self.dice.random() < 0.04:
                return {self.nasty() if name == key else name: part for name, part in value.items()}
            return {**value, key: self._once(value[key])}
        if isinstance(value, list) and value and self.dice.random() < 0.93:
            at = self.dice.randrange(len(value))
            return [*value[:at], self._once(value[at]), *value[at + 1 :]]
        return self.dice.choice((self.nasty, self.expression, self.number, self.bush, lambda: value))()

    def number(self) -> Any:
        return self.dice.choice((0, -1, 2**31, 2**63, 2**200, -(10**30), 0.1, 1e308, True, None, [], {}))

    def bush(self) -> Any:
        """Return something wide or deep."""
        shape: Callable[[Any], Any] = self.dice.choice((lambda inner: [inner], lambda inner: {"x": inner}, lambda inner: {"fields": [inner]}))
        grown: Any = self.nasty()
        for _ in range(self.dice.choice((1, 3, 40, 200))):
            grown = shape(grown)
        return grown

    def bytes_of(self, text: str) -> bytes:
        """Return a text with a few of its bytes changed, cut or repeated."""
        data = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(self.dice.randint(0, 3)):
            at = self.dice.randrange(len(data) + 1)
            marks = (bytes([self.dice.randrange(256)]), b"&a ", b"*a", b"\n- ", b"\t", b'"', b"!!x ")
            piece = self.dice.choice((self.nasty().encode("utf-8", "surrogatepass"), *marks))
            data[at : at + self.dice.randint(0, 2)] = piece
        return bytes(data)
