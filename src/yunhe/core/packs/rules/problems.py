"""The sentences of a pack's problems, zh and en, with what was expected and found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yunhe.core.packs.types import PackProblem
from yunhe.kernel.sayings import Unfit, say_expected

SENTENCES: dict[str, tuple[str, str]] = {
    "no_links": ("不允许链接和设备文件，请放入普通文件。", "Links and devices are refused; put a plain file here."),
    "bad_name": ("文件名只能用字母、数字、汉字、点、横线和下划线。", "File names are letters, digits, Han characters, dot, dash and underscore."),
    "file_too_big": ("文件有 {size} 字节，上限是 {limit}。请拆分。", "The file has {size} bytes, the limit is {limit}. Split it."),
    "pack_too_big": ("能力包超过 {limit} 字节或 {files} 个文件。", "The pack is over {limit} bytes or {files} files."),
    "no_manifest": ("缺少 pack.yml。", "pack.yml is missing."),
    "name_differs": ("name 写的是“{found}”，文件夹名是“{expected}”，两者须一致。", 'name says "{found}", the folder is "{expected}"; they must agree.'),
    "unknown_section": ("没有登记读取“{section}”的装载器。已登记：{known}。", 'No loader reads "{section}". Registered: {known}.'),
    "unknown_file": ("这里只读 .yml 和 .csv 文件。", "Only .yml and .csv files are read here."),
    "stray_file": ("能力包顶层只放 pack.yml，其余请放进各节文件夹。", "Only pack.yml stands at the top of a pack; put the rest into section folders."),
    "not_utf8": ("不是 UTF-8 文本（第 {offset} 字节）。请另存为 UTF-8。", "Not UTF-8 text (byte {offset}). Save it as UTF-8."),
    "bad_yaml": ("YAML 写法有误：{detail}。", "The YAML is malformed: {detail_en}."),
    "alias": ("不允许锚点、别名和标签，请直接写出内容。", "Anchors, aliases and tags are refused; write the content out."),
    "too_deep": ("嵌套超过 {limit} 层。", "Nested deeper than {limit} levels."),
    "too_many": ("内容超过 {limit} 个值。请拆分文件。", "More than {limit} values. Split the file."),
    "duplicate_key": ("键“{key}”重复。", 'The key "{key}" stands twice.'),
    "key_not_text": ("键必须是文字。", "A key must be text."),
    "not_mapping": ("需要一组“键: 值”，或由它们组成的列表。", 'Expected "key: value" pairs, or a list of them.'),
    "empty_csv": ("文件没有表头。", "The file has no header."),
    "duplicate_column": ("列“{key}”重复。", 'The column "{key}" stands twice.'),
    "bad_width": ("需要 {expected} 列，实际 {found} 列。", "Expected {expected} columns, found {found}."),
    "bad_csv": ("CSV 写法有误：{detail}。", "The CSV is malformed: {detail_en}."),
    "missing": ("缺少这一项。", "This is missing."),
    "extra": ("不认识这一项，请删去或更正名称。", "This is not known; remove it or mend its name."),
    "value": ("需要{expected}，实际是 {found}。{detail}", "Expected {expected}, found {found}. {detail}"),
    "needs": ("需要先装入能力包“{needed}”。", 'Pack "{needed}" must be loaded first.'),
    "no_organizations": ("随产品发布的能力包不得带机构，除非声明 demo: true。", "A pack of the product brings no organisations unless it says demo: true."),
    "item": ("{zh}", "{en}"),
}

# What the readers of YAML and CSV say of a text that they cannot read, by how it begins; the rest is the usual cause.
SAID: tuple[tuple[str, str], ...] = (
    ("mapping values are not allowed", "这里不能再写“键: 值”，多半是缩进或冒号有误"),
    ("could not find expected ':'", "少了冒号"),
    ("did not find expected key", "这里应是一个键，多半是缩进不齐"),
    ("did not find expected '-' indicator", "列表里这里应以“- ”开头"),
    ("did not find expected ',' or", "少了逗号或右括号"),
    ("found character that cannot start any token", "有不能用在这里的字符，缩进请用空格"),
    ("found a tab character", "缩进请用空格，不用制表符"),
    ("found unexpected end of stream", "引号没有成对"),
    ("found unexpected document indicator", "引号没有成对"),
    ("unacceptable character", "有控制字符"),
    ("did not find expected node content", "这里应有一个值"),
    ("found unknown directive", "% 开头的一行不能这样用"),
    ("unexpected end of data", "引号没有成对"),
    ("field larger than field limit", "一格的文字太长"),
    ("line contains NUL", "有空字符"),
    ("one document per file", "一个文件只写一份"),
)
USUAL = "请检查缩进、冒号、逗号和引号"


def said_in_chinese(detail: str) -> str:
    """Return what a reader of YAML or CSV found wrong, in Chinese."""
    return next((zh for start, zh in SAID if detail.startswith(start)), USUAL)


KIND_WORDS: dict[str, tuple[str, str]] = {
    "string_type": ("文字（数字编码请加引号）", "text (quote numeric codes)"),
    "int_type": ("整数", "a whole number"),
    "int_parsing": ("整数", "a whole number"),
    "bool_type": ("true 或 false", "true or false"),
    "bool_parsing": ("true 或 false", "true or false"),
    "dict_type": ("一组“键: 值”", '"key: value" pairs'),
    "model_type": ("一组“键: 值”", '"key: value" pairs'),
    "list_type": ("列表", "a list"),
    "tuple_type": ("列表", "a list"),
    "date_type": ("日期 YYYY-MM-DD", "a date YYYY-MM-DD"),
    "date_parsing": ("日期 YYYY-MM-DD", "a date YYYY-MM-DD"),
    "date_from_datetime_parsing": ("日期 YYYY-MM-DD", "a date YYYY-MM-DD"),
    "decimal_parsing": ("小数", "a decimal number"),
    "string_pattern_mismatch": ("合乎格式的文字", "text of the right form"),
    "string_too_short": ("更长的文字", "longer text"),
    "string_too_long": ("更短的文字", "shorter text"),
    "literal_error": ("规定的值之一", "one of the given values"),
    "enum": ("规定的值之一", "one of the given values"),
}


def problem(file: str, line: int, path: str, code: str, **facts: Any) -> PackProblem:
    """Return the problem with its sentences filled in."""
    zh, en = SENTENCES[code]
    return PackProblem(file, max(line, 1), path, {"zh": zh.format(**facts), "en": en.format(**facts)})


def problems_of(
    errors: Sequence[Mapping[str, Any]], *, file: str, line_of: Callable[[tuple[str | int, ...]], int]
) -> list[PackProblem]:
    """Return pydantic's errors as problems, each at the line of the value it speaks of."""
    return [_problem_of(error, file, line_of) for error in errors]


def _problem_of(error: Mapping[str, Any], file: str, line_of: Callable[[tuple[str | int, ...]], int]) -> PackProblem:
    place = tuple(error["loc"])
    path = ".".join(str(part) for part in place)
    kind = str(error["type"])
    if kind == "missing":
        return problem(file, line_of(place[:-1]), path, "missing")
    if kind == "extra_forbidden":
        return problem(file, line_of(place), path, "extra")
    if isinstance(own := error.get("ctx", {}).get("error"), Unfit):
        said = own.said  # of a whole declaration: what was found would be all of it
        return PackProblem(file, line_of(place), path, {"zh": f"{said['zh']}。", "en": f"{said['en'][:1].upper()}{said['en'][1:]}."})
    zh, en = KIND_WORDS.get(kind, ("合规的值", "a value that fits"))
    tells_more = kind not in KIND_WORDS or bool(error.get("ctx"))
    found = repr(error.get("input"))
    found = found if len(found) <= 60 else found[:57] + "..."
    sentences = {
        "zh": SENTENCES["value"][0].format(expected=zh, found=found, detail=f"（{say_expected(error, 'zh')}）" if tells_more else ""),
        "en": SENTENCES["value"][1].format(expected=en, found=found, detail=f"({say_expected(error, 'en')})").strip(),
    }
    return PackProblem(file, line_of(place), path, sentences)
