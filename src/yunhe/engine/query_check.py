"""What a query may be: one SELECT over the given views, of nodes and functions by allow-list.

The SQL that runs is written anew from the checked tree; the user's text goes no further. In it every step of a WITH
is called `_cte_N`, every other table is a given view by its full name, so that no name can mean a second thing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, SqlglotError

from yunhe.kernel.errors import Kind, Terminal

# sqlglot logs the text of statements it does not know; a user's text does not belong in logs.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

SqlNode = Any  # a node of sqlglot's tree: its releases name the base class differently

MAX_CHARACTERS: Final = 20_000
MAX_TOKENS: Final = 4_000
MAX_NESTING: Final = 60
# Where the child keeps its views.
CATALOG: Final = "memory"
SCHEMA: Final = "main"

# problem code: (zh, en)
PROBLEMS: Final[dict[str, tuple[str, str]]] = {
    "empty": ("没有写查询；请写一条 SELECT", "there is no query; write one SELECT"),
    "too_long": ("查询过长；请拆成几条", "the query is too long; split it"),
    "too_deep": ("嵌套过深；请用 WITH 分步", "the nesting is too deep; take steps by WITH"),
    "syntax": ("语法读不懂“{found}”；请检查括号、引号和关键字", 'cannot read "{found}"; check brackets, quotes, keywords'),
    "several": ("只允许一条语句；请删去分号后的内容", "only one statement is allowed; delete what follows the semicolon"),
    "not_select": ("只允许 SELECT，实际是 {found}", "only SELECT is allowed, found {found}"),
    "not_allowed": ("不允许使用“{found}”；请只用 SELECT 的常用子句和函数", '"{found}" is not allowed; use plain SELECT clauses'),
    "function": ("不允许使用函数“{found}”", 'the function "{found}" is not allowed'),
    "table": ("没有可查询的表“{found}”；可用：{known}", 'there is no table "{found}" to query; there are: {known}'),
    "twice": ("同一个 WITH 中“{found}”定义了两次；请改名", '"{found}" is defined twice in one WITH; rename one'),
    "binding": ("查询与表不符：{found}", "the query does not fit the tables: {found}"),
    "too_large": ("结果过大；请减少列或行", "the result is too large; take fewer columns or rows"),
}  # fmt: skip


class QueryRefused(Terminal):
    """The query is not one that may run. Facts: problem, line, column (from 1; 0 where unknown)."""

    code: ClassVar[str] = "query_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "查询第 {line} 行第 {column} 列：{what_zh}。",
        "en": "Query, line {line}, column {column}: {what_en}.",
    }

    def __init__(self, problem: str, *, line: int = 0, column: int = 0, **facts: Any) -> None:
        slots = {name: str(value)[:300] for name, value in facts.items()}
        zh, en = PROBLEMS[problem]
        texts = {"what_zh": zh.format(**slots), "what_en": en.format(**slots)}
        super().__init__(problem=problem, line=line, column=column, **slots, **texts)


def _classes(names: str) -> frozenset[type]:
    return frozenset(getattr(exp, name) for name in names.split())


_NODES: Final = _classes(
    "Select From Where Group Having Order Ordered Limit Offset Distinct With CTE TableAlias Subquery Join Union"
    " Intersect Except Column Identifier Table Alias Star Literal Boolean Null And Or Not Paren EQ NEQ LT LTE GT GTE"
    " NullSafeEQ NullSafeNEQ Add Sub Mul Div IntDiv Mod Neg Between In Like ILike Escape Is Case If Cast TryCast"
    " DataType DataTypeParam Tuple DPipe Filter Window WindowSpec Var Interval Exists Qualify"
)
_FUNCTIONS: Final = _classes(
    "Count Sum Avg Min Max Median Stddev StddevSamp StddevPop Variance VariancePop Quantile PercentileCont"
    " ApproxDistinct CountIf LogicalAnd LogicalOr GroupConcat ArgMax ArgMin AnyValue First Last RowNumber Rank"
    " DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue Length Upper Lower Trim Substring"
    " Left Right Replace StartsWith EndsWith Contains Concat Reverse StrPosition SplitPart RegexpLike"
    " RegexpFullMatch RegexpExtract RegexpReplace Abs Ceil Floor Round Sqrt Ln Log Exp Pow Sign Greatest Least"
    " Coalesce Nullif Year Month Day Quarter Week DayOfWeek DayOfYear Hour Minute Second Extract DateDiff DateTrunc"
    " TimestampTrunc CurrentDate TimeToStr"
)
_NAMED: Final = frozenset({
    "count_star", "date_part", "strlen", "datesub", "date_sub", "rank", "dense_rank", "row_number",
    "ntile", "percent_rank", "cume_dist", "bool_and", "bool_or", "mode", "instr", "format_date",
    "full_years", "quarter", "weekday", "isodow",
})  # fmt: skip
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}


def rewrite_query(text: str, *, views: Collection[str], rows: int) -> str:
    """Return the SQL to run for a user's text: the same query, with at most `rows` + 1 result rows.

    Raises: QueryRefused with line and column.
    """
    tree = _parse(text)
    try:
        _check_nodes(tree)
        for table in _resolve(tree):
            _point_at_view(table, views)
        return str(_limited(tree, rows).sql(dialect="duckdb", comments=False, identify=True))
    except RecursionError:
        raise QueryRefused("too_deep") from None


def tables_of(text: str) -> tuple[str, ...]:
    """Return the tables that one SELECT reads, each once, in the order written: every name but steps of its WITHs.

    Raises: QueryRefused if the text is not one SELECT or reads from anything but plain names.
    """
    return tuple(dict.fromkeys(table.name for table in _resolve(_parse(text))))


def _parse(text: str) -> SqlNode:
    _check_tokens(text)
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except ParseError as error:
        first: dict[str, Any] = error.errors[0] if error.errors else {}
        raise QueryRefused("syntax", line=int(first.get("line") or 0), column=int(first.get("col") or 0),
                           found=first.get("highlight") or "…") from None  # fmt: skip
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise QueryRefused("syntax", found="…") from None
    if len(trees) != 1 or trees[0] is None:
        raise QueryRefused("several" if len(trees) > 1 else "empty")
    tree = trees[0]
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise QueryRefused("not_select", line=1, column=1, found=type(tree).__name__.upper())
    return tree


def _limited(tree: SqlNode, rows: int) -> SqlNode:
    """Lower the outermost LIMIT to rows + 1, so that a cut result can be told from a full one."""
    if rows <= 0:
        return tree
    limit = tree.args.get("limit")
    wanted = limit.expression if isinstance(limit, exp.Limit) else None
    if isinstance(wanted, exp.Literal) and not wanted.is_string and wanted.name.isdigit() and int(wanted.name) <= rows:
        return tree
    if limit is not None and not isinstance(wanted, exp.Literal):
        raise QueryRefused("not_allowed", found="LIMIT …")
    tree.set("limit", exp.Limit(expression=exp.Literal.number(rows + 1)))
    return tree


def _check_tokens(text: str) -> None:
    if not text.strip():
        raise QueryRefused("empty")
    if len(text) > MAX_CHARACTERS:
        raise QueryRefused("too_long")
    if any((character < " " and character not in "\t\r\n") or "\ud800" <= character <= "\udfff" for character in text):
        raise QueryRefused("syntax", found="control character")
    try:
        tokens = sqlglot.tokenize(text, read="duckdb")
    except SqlglotError:
        raise QueryRefused("syntax", found=text.strip()[-20:]) from None
    if len(tokens) > MAX_TOKENS:
        raise QueryRefused("too_long")
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > MAX_NESTING:
            raise QueryRefused("too_deep", line=token.line, column=token.col)
    if tokens and any(token.token_type == TokenType.SEMICOLON for token in tokens[:-1]):
        raise QueryRefused("several")


def _resolve(tree: SqlNode) -> list[SqlNode]:
    """Rename each step of a WITH and what reads it in its scope; return the other tables, in the order written.

    A step is known to the steps after it and to the query it stands before, to nothing else: not to itself, not
    outside the brackets. Names differ in more than case, as in DuckDB.
    """
    found: list[SqlNode] = []
    steps = 0
    waiting: list[tuple[SqlNode, Mapping[str, str]]] = [(tree, {})]
    while waiting:
        node, scope = waiting.pop()
        inside: list[tuple[SqlNode, Mapping[str, str]]] = []
        opening = node.args.get("with_")
        if opening is not None:
            inside, scope = _open_scope(opening, scope, steps)
            steps += len(inside)
        if isinstance(node, exp.Table) and not _point_at_step(node, scope):
            found.append(node)
        inside += [(part, scope) for part in node.iter_expressions() if part is not opening]
        waiting += reversed(inside)
    return found


def _open_scope(
    opening: SqlNode, outer: Mapping[str, str], steps: int
) -> tuple[list[tuple[SqlNode, Mapping[str, str]]], Mapping[str, str]]:
    """Name the steps of one WITH; return each step's query with its scope, and the scope of what follows."""
    if any(opening.args.get(name) for name in ("recursive", "search", "cycle", "udfs")):
        raise _refused("not_allowed", opening, "WITH RECURSIVE")
    scope = dict(outer)
    own: set[str] = set()
    inside: list[tuple[SqlNode, Mapping[str, str]]] = []
    for step in opening.expressions:
        alias = step.args.get("alias")
        if type(step) is not exp.CTE or alias is None or not isinstance(alias.this, exp.Identifier):
            raise _refused("not_allowed", step, "WITH")
        name = step.alias.lower()
        if name in own:
            raise _refused("twice", step, step.alias)
        inside.append((step.this, dict(scope)))
        own.add(name)
        scope[name] = f"_cte_{steps + len(inside)}"
        alias.set("this", exp.to_identifier(scope[name], quoted=True))
    return inside, scope


def _point_at_step(table: SqlNode, scope: Mapping[str, str]) -> bool:
    """Rename a table that is a step in scope and return True. Raises: QueryRefused for what is no plain name."""
    odd = [name for name, value in table.args.items() if value and name not in ("this", "alias", "joins")]
    if odd or not isinstance(table.this, exp.Identifier):
        raise _refused("not_allowed", table, table.sql("duckdb")[:60])
    step = scope.get(table.name.lower())
    if step is not None:
        _rename(table, exp.to_identifier(step, quoted=True))
    return step is not None


def _point_at_view(table: SqlNode, views: Collection[str]) -> None:
    if table.name not in views:
        raise _refused("table", table, table.name, known=", ".join(sorted(views)))
    _rename(table, exp.to_identifier(table.name, quoted=True))
    table.set("db", exp.to_identifier(SCHEMA, quoted=True))
    table.set("catalog", exp.to_identifier(CATALOG, quoted=True))


def _rename(table: SqlNode, name: SqlNode) -> None:
    """Give the table another name; its columns are still written after the old one, so that stays as its alias."""
    alias = table.args.get("alias") or exp.TableAlias()
    if alias.this is None:
        alias.set("this", exp.to_identifier(table.name, quoted=True))
    table.set("alias", alias)
    table.set("this", name)


def _check_nodes(tree: SqlNode) -> None:
    for node in tree.walk():
        kind = type(node)
        if kind in _NODES or kind in _FUNCTIONS:
            _check_arguments(node)
        elif isinstance(node, exp.Anonymous):
            if node.name.lower() not in _NAMED:
                raise _refused("function", node, node.name)
        elif isinstance(node, exp.Func):
            raise _refused("function", node, node.sql_name())
        else:
            raise _refused("not_allowed", node, kind.__name__.upper())


def _check_arguments(node: SqlNode) -> None:
    """Refuse arguments that no listed node stands for: a table sample, a lock, a hint, a replaced star."""
    for name in ("sample", "hint", "locks", "into", "kind", "operation_modifiers", "version", "pivots", "when",
                 "replace", "except_", "except", "rename", "laterals", "match", "settings", "format", "scalar",
                 "key_expressions"):  # fmt: skip
        if node.args.get(name) and not (name == "kind" and isinstance(node, (exp.Join, exp.WindowSpec))):
            raise _refused("not_allowed", node, name.upper())


def _refused(problem: str, node: SqlNode, found: str, **facts: str) -> QueryRefused:
    line, column = _place(node)
    return QueryRefused(problem, line=line, column=column, found=found, **facts)


def _place(node: SqlNode) -> tuple[int, int]:
    marked = [part.meta for part in node.walk() if "line" in part.meta]
    if not marked:
        return 0, 0
    first = min(marked, key=lambda meta: meta["start"])
    return first["line"], max(1, first["col"] - (first["end"] - first["start"]))
