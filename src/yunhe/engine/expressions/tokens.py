"""What is refused before anything is parsed: length, nesting, comments, several statements, control characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import sqlglot
from sqlglot import Token, TokenType
from sqlglot.errors import SqlglotError

from yunhe.engine.expressions.errors import ExpressionRefused

MAX_CHARACTERS: Final = 4000
MAX_TOKENS: Final = 800
MAX_DEPTH: Final = 40

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_UNARY = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE}


def check_tokens(text: str) -> None:
    """Raise ExpressionRefused unless the text is short, flat and plain enough for the recursive parser."""
    if not text.strip():
        raise ExpressionRefused("empty")
    if len(text) > MAX_CHARACTERS:
        raise ExpressionRefused("too_long", limit=MAX_CHARACTERS)
    if found := _CONTROL.search(text):
        line, column = line_column(text, found.start())
        raise ExpressionRefused("control_character", line=line, column=column)
    try:
        tokens = sqlglot.tokenize(text, read="duckdb")
    except SqlglotError:
        raise ExpressionRefused("syntax", found=text.strip()[-20:]) from None
    if len(tokens) > MAX_TOKENS:
        raise ExpressionRefused("too_long", limit=MAX_TOKENS)
    _check_shape(text, tokens)


def _check_shape(text: str, tokens: Sequence[Token]) -> None:
    """Refuse comments, semicolons and deep nesting before the recursive parser sees them."""
    depth = unary = 0
    for token in tokens:
        line, column = line_column(text, token.start)
        if token.comments:
            raise ExpressionRefused("comment", line=line, column=column)
        if token.token_type == TokenType.SEMICOLON:
            raise ExpressionRefused("several", line=line, column=column)
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        unary = unary + 1 if token.token_type in _UNARY else 0
        if depth + unary > MAX_DEPTH:
            raise ExpressionRefused("too_deep", line=line, column=column, limit=MAX_DEPTH)
    if not tokens:
        raise ExpressionRefused("comment")


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both from 1, of a character of the text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
