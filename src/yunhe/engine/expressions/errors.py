"""Why an expression was refused: the place, what is wrong there, and the next step."""

from __future__ import annotations

from typing import Any, ClassVar

from yunhe.kernel.errors import Kind, Terminal

# problem code: (what zh, next zh, what en, next en)
PROBLEMS: dict[str, tuple[str, str, str, str]] = {
    "empty": ("表达式是空的", "请写出一个条件，例如 age >= 18。",
              "the expression is empty", "Write a condition, for example age >= 18."),
    "too_long": ("表达式超过 {limit} 个字符或记号", "请拆成几条规则。",
                 "the expression is longer than {limit} characters or tokens", "Split it into several rules."),
    "too_deep": ("括号或嵌套超过 {limit} 层", "请去掉多余的括号，或拆成几条规则。",
                 "brackets or nesting go deeper than {limit} levels", "Remove brackets or split the rule."),
    "control_character": ("含有控制字符", "请删去这个字符。",
                          "there is a control character", "Delete that character."),
    "comment": ("不允许写注释", "请删去注释，把说明写在规则的标题里。",
                "comments are not allowed", "Delete the comment and put it into the rule's title."),
    "several": ("只允许一个表达式，不允许分号", "请删去分号及其后的内容。",
                "only one expression is allowed, no semicolon", "Delete the semicolon and what follows it."),
    "syntax": ("语法读不懂“{found}”", "请检查括号、引号和运算符；字符串用单引号。",
               'cannot read "{found}"', "Check brackets, quotes and operators; text stands in single quotes."),
    "not_allowed": ("不允许使用“{found}”", "表达式只能用字段、常量、比较、逻辑和列出的函数：{allowed}。",
                    '"{found}" is not allowed',
                    "An expression holds fields, constants, comparisons, logic and these functions: {allowed}."),
    "unknown_field": ("没有字段“{found}”", "可用的字段：{allowed}。",
                      'there is no field "{found}"', "The fields are: {allowed}."),
    "type": ("这里需要{expected}，实际是{found}", "请用 CAST(… AS …) 写明转换，或改用同类型的值。",
             "expected {expected}, found {found}", "Write the conversion as CAST(… AS …) or use a value of that type."),
    "null_compare": ("不能与 NULL 比较，结果总是未知", "请改写为 IS NULL 或 IS NOT NULL。",
                     "a comparison with NULL is always unknown", "Write IS NULL or IS NOT NULL."),
    "constant": ("这里只能写{expected}", "请写成常量。",
                 "only {expected} may stand here", "Write it as a constant."),
    "arguments": ("函数 {found} 的参数个数不对，需要 {expected} 个", "请按 {signature} 书写。",
                  "the function {found} takes {expected} arguments", "Write it as {signature}."),
    "literal": ("常量“{found}”不是合法的{expected}", "请按 {example} 书写。",
                'the constant "{found}" is not a valid {expected}', "Write it like {example}."),
    "too_large": ("计算结果可能超过 38 位数字", "请减少乘法，或先用 CAST 缩小。",
                  "the result may have more than 38 digits", "Use fewer multiplications, or narrow by CAST first."),
    "not_boolean": ("整个表达式应当是条件（真或假），实际是{found}", "请写成比较，例如 … = … 或 … IS NOT NULL。",
                    "the whole expression must be a condition, found {found}",
                    "Write a comparison, for example … = … or … IS NOT NULL."),
    "division": ("不允许使用除法 /（结果不精确）", "请改写为乘法，例如把 a / b > 0.5 写成 a > b * 0.5；整除用 //。",
                 "the division / is not allowed (it is not exact)",
                 "Multiply instead: a > b * 0.5 for a / b > 0.5; // divides whole numbers."),
}  # fmt: skip


class ExpressionRefused(Terminal):
    """The text is not an expression of the allowed language.

    Facts: problem (stable code), line and column (both from 1), and the slots of the sentence.
    """

    code: ClassVar[str] = "expression_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "表达式第 {line} 行第 {column} 列：{what_zh}。{next_zh}",
        "en": "Expression, line {line}, column {column}: {what_en}. {next_en}",
    }

    def __init__(self, problem: str, *, line: int = 1, column: int = 1, **facts: Any) -> None:
        slots = {name: _short(value) for name, value in facts.items()}
        texts = dict(zip(("what_zh", "next_zh", "what_en", "next_en"), PROBLEMS[problem], strict=True))
        filled = {name: text.format(**slots) for name, text in texts.items()}
        super().__init__(problem=problem, line=line, column=column, **slots, **filled)

    @property
    def problem(self) -> str:
        """Return the stable code of what is wrong."""
        return str(self.facts["problem"])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "…"
