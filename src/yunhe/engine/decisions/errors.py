"""What can go wrong with a decision table: in its cells, and when it is asked."""

from __future__ import annotations

from typing import Any, ClassVar

from yunhe.kernel.errors import Kind, Terminal

# problem code: (expected zh, next zh, expected en, next en)
PROBLEMS: dict[str, tuple[str, str, str, str]] = {
    "header": ("{zh}", "请修改表头声明。", "{en}", "Change the table's declaration."),
    "columns": ("{zh}", "请修改标题行：条件列 in:名称，结果列 out:名称，另可有 from、until、basis、note。",
                "{en}", "Change the header row: in:NAME and out:NAME, also from, until, basis, note."),
    "csv": ("一个 CSV 文件，每行 {expected} 格", "请核对引号和逗号；含逗号的格要用引号括起。",
            "a CSV file with {expected} cells in each row", "Check quotes and commas; quote a cell that holds a comma."),
    "rules": ("1 到 {expected} 条规则", "请写出规则，或拆成几张表。",
              "1 to {expected} rules", "Write rules, or split the table."),
    "expression": ("一个类型为 {expected} 的表达式", "请改写输入的表达式。",
                   "an expression of type {expected}", "Rewrite the input's expression."),
    "literal": ("一个 {expected} 值或条件", "例如 {example}；任意值写 -，空值写 null。",
                "a value or condition of type {expected}", "For example {example}; write - for anything, null for none."),
    "value": ("一个 {expected} 值", "结果格只写一个值，例如 {example}；空着或 null 表示没有值。",
              "one value of type {expected}", "A result holds one value, such as {example}; empty or null is no value."),
    "quote": ("加引号的文本", '请把整段文本放进半角双引号："…"，其中的引号写作 \\"。',
              "quoted text", 'Put the whole text into straight double quotes: "…", a quote inside as \\".'),
    "full_width": ("半角符号", "请改用半角的逗号、括号、引号和数字；文本里的全角符号要用半角双引号括起。",
                   "half-width signs", "Use half-width , ( ) [ ] and digits; put text that holds such signs into quotes."),
    "order": ("文本和真假没有先后，不能用大小比较", "请列出各个值；若这就是文本，请加半角双引号。",
              "text and booleans have no order", "List the values; if this is the text itself, put it into quotes."),
    "not": ("not(…) 单独占一格", "请把整格写成 not(a, b)。",
            "not(…) alone in its cell", "Write the whole cell as not(a, b)."),
    "any": ("- 单独占一格", "任意值写 - 或空着；若 - 就是文本，请加引号。",
            "- alone in its cell", "Write - or nothing for any value; quote it if it is text."),
    "empty_range": ("至少含一个值的范围", "请核对两端的先后和括号。",
                    "a range that holds a value", "Check the order of the ends and the brackets."),
    "thousands": ("不带千位分隔符的数", "一个数写 1234；两个值请在逗号后加空格：1, 234。",
                  "a number without thousands separators", "Write 1234 for one number, 1, 234 for two values."),
    "too_long": ("不超过 {expected} 个字符", "请拆成几行规则。",
                 "at most {expected} characters", "Split it into several rules."),
    "control_character": ("没有控制字符的文本", "请删去这个字符。",
                          "text without control characters", "Delete that character."),
    "dates": ("from 早于 until 的日期", "请写成 2026-01-01；until 是失效的第一天。",
              "dates, from before until", "Write 2026-01-01; until is the first day the rule is no longer valid."),
    "allowed": ("允许的值之一：{expected}", "请改这一格，或在声明中补上这个值。",
                "one of the allowed values: {expected}", "Change the cell, or add the value to the declaration."),
    "aggregate": ("可汇总的一个值", "求和、最小、最大的表每格都要有值。",
                  "a value to aggregate", "In a table that sums or compares, each result must have a value."),
    "dmn": ("{zh}", "请用其他工具改成支持的写法后再导入。",
            "{en}", "Change it to a supported form and import again."),
}  # fmt: skip


class CellRefused(Terminal):
    """A text is no cell of the language. Facts: problem (stable code), found."""

    code: ClassVar[str] = "decision_cell_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "需要{expected_zh}，实际是“{found}”。{next_zh}",
        "en": 'Expected {expected_en}, found "{found}". {next_en}',
    }

    def __init__(self, problem: str, *, found: object, **facts: Any) -> None:
        names = ("expected_zh", "next_zh", "expected_en", "next_en")
        slots = {name: _short(value) for name, value in facts.items()}
        texts = {name: text.format_map(slots) for name, text in zip(names, PROBLEMS[problem], strict=True)}
        super().__init__(problem=problem, found=_short(found), **texts)

    @property
    def problem(self) -> str:
        """Return the stable code of what is wrong."""
        return str(self.facts["problem"])


class TableRefused(Terminal):
    """A decision table is not as it must be; `problems` holds one error for each place, this one being the first.

    Facts: file, row (0 is the declaration, 1 the header), column, problem, found.
    """

    code: ClassVar[str] = "decision_table_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表 {file} {place_zh}“{column}”：需要{expected_zh}，实际是“{found}”。{next_zh}",
        "en": 'Decision table {file}, {place_en} "{column}": expected {expected_en}, found "{found}". {next_en}',
    }

    def __init__(self, cause: CellRefused, *, file: str, row: int, column: str) -> None:
        zh, en = (f"第 {row} 行的列", f"row {row}, column") if row else ("的声明", "declaration")
        place = {"file": file, "row": row, "column": column, "place_zh": zh, "place_en": en}
        super().__init__(**{**cause.facts, **place})
        self.problems: tuple[TableRefused, ...] = (self,)


class NoRuleMatched(Terminal):
    """No rule covers the values and there is no default. `unknown` names the inputs without a value."""

    code: ClassVar[str] = "no_rule_matched"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表“{table}”在 {on} 没有规则适用于这些值（未知的输入：{unknown}）。请补全输入，或由管理员补充规则。",
        "en": 'No rule of table "{table}" fits these values on {on} (unknown inputs: {unknown}).'
        " Give the missing values, or let the table's keeper add a rule.",
    }


class SeveralRulesMatched(Terminal):
    """A table in which one rule at most may match has two that do."""

    code: ClassVar[str] = "several_rules_matched"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表“{table}”要求规则互不重叠，但第 {first} 行和第 {second} 行同时适用。请管理员用“分析”找出并改正重叠。",
        "en": 'In table "{table}" one rule only may match, but rows {first} and {second} both do.'
        " Let its keeper analyse the table and mend the overlap.",
    }


class RulesDisagree(Terminal):
    """A table in which matching rules must agree has two that do not."""

    code: ClassVar[str] = "rules_disagree"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表“{table}”要求同时适用的规则结果一致，但第 {first} 行和第 {second} 行不同。请管理员改正其中一行。",
        "en": 'In table "{table}" rules that match together must agree, but rows {first} and {second} differ.'
        " Let its keeper correct one of them.",
    }


class InputRefused(Terminal):
    """A value cannot be held against the table: `problem` is type, values or fault. The sentence never tells the value."""

    code: ClassVar[str] = "decision_input_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表“{table}”的输入“{input}”：{what_zh}。请改正这个值。",
        "en": 'Input "{input}" of table "{table}": {what_en}. Correct the value.',
    }
    _WHAT: ClassVar[dict[str, tuple[str, str]]] = {
        "type": ("需要类型 {expected}，实际是 {found}", "expected the type {expected}, found {found}"),
        "values": ("只允许 {expected}，实际是别的值", "only {expected} is allowed, found another value"),
        "fault": ("表达式无法计算（{found}）", "its expression cannot be computed ({found})"),
    }

    def __init__(self, problem: str, **facts: Any) -> None:
        zh, en = (
            text.format_map({name: _short(value) for name, value in facts.items()}) for text in self._WHAT[problem]
        )
        super().__init__(problem=problem, what_zh=zh, what_en=en, **facts)


class TableNotInSql(Terminal):
    """The table cannot be computed as one SQL expression."""

    code: ClassVar[str] = "decision_table_not_in_sql"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "决策表“{table}”不能写成 SQL：需要{expected}，实际是 {found}。请改表，或逐条计算。",
        "en": 'Table "{table}" cannot be written as SQL: expected {expected}, found {found}.'
        " Change the table, or decide record by record.",
    }


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "…"
