"""What the parser of the command line says in Chinese: the help of every option, and its own complaints."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

HELP: Mapping[str, str] = {
    'for example {"to": "zhang", "reason": "…"}': '例：{"to": "zhang", "reason": "…"}',
    "for example a resource's code": "例如数据资源的代码",
    'for example: SELECT count(*) FROM "3070/0001"': '例：SELECT count(*) FROM "3070/0001"',
    "KIND.bpmn if not given": "不写则为 KIND.bpmn",
    "TABLE.dmn if not given": "不写则为 TABLE.dmn",
    "YYYY-MM-DD; a year if not given": "写作 2026-01-31；不写则为一年",
    "a CSV or Parquet file": "CSV 或 Parquet 文件",
    "a DMN document": "DMN 文件",
    'a JSON object, for example {"kind": "permit", "q": "…"}': 'JSON 对象，例：{"kind": "permit", "q": "…"}',
    "a contract": "约定文件",
    "a further row filter": "再加的行筛选",
    "a kind as YAML": "办件类型的 YAML 文件",
    "a pack's name or folder": "能力包的名称或文件夹",
    "a plan as JSON, as `migrate plan --out` wrote it": "方案的 JSON 文件，由 migrate plan --out 写出",
    "a saved filter": "常用筛选的名称",
    "an SVG file": "SVG 文件",
    "cases to put on the list": "列入清单的办件",
    "cases to take off the list": "移出清单的办件",
    "credit code of the organisation that runs the node": "运行节点的单位的统一社会信用代码",
    "csv, parquet; by the file's ending if not given": "csv、parquet；不写则看文件后缀",
    "division code": "行政区划代码",
    "every dead letter, or every one that --search finds": "全部死信，或 --search 找到的全部",
    "every setting with its value": "每项设置及其值",
    "field names by comma": "字段名，用逗号分开",
    "field=mask by comma": "字段=脱敏方式，用逗号分开",
    "how many generated persons": "生成多少人",
    "in number, title, names and what was filled in": "在编号、标题、名称和填写的内容中查找",
    "its division code": "它的行政区划代码",
    "its name": "它的名称",
    "legal basis of the use": "使用的法律依据",
    "made by yunhe system create --out": "由 yunhe system create --out 生成",
    "move cases, show what became of them, and take it back": "移动办件、说明结果，再全部还原",
    "needed unless --dry-run": "除非 --dry-run，否则必填",
    "number or id": "编号或标识",
    "of one kind, by its code": "只看一个办件类型，写代码",
    "of the inbox, or of the list of cases": "待办的，或办件列表的",
    "only these of the asked fields": "只给所申请字段中的这些",
    "only these of the granted fields": "只取所授权字段中的这些",
    "row filter, an expression over the fields": "行筛选，由字段组成的表达式",
    "seed: the same seed makes the same bytes": "种子：相同的种子生成相同的数据",
    "start web, worker and gateway afterwards": "随后启动网页、作业和网关",
    "submit; the local operator publishes with a recorded waiver": "提交审核；本机操作员直接发布，并记录免审",
    "switch the demo accounts off": "停用演示账户",
    "the action's fields as a JSON object": "动作的表单，JSON 对象",
    "the action's fields as a JSON object, for all of them": "动作的表单，JSON 对象，每件相同",
    "the actor's own if not given": "不写则为办理人自己的单位",
    "the case's fields as a JSON object": "办件的表单，JSON 对象",
    "the folder of a pack, into which tables/CODE.yml and .csv are written": "能力包的文件夹，写入 tables/CODE.yml 和 .csv",
    "the gateway's address": "网关地址",
    "the inputs as a JSON object": "输入值，JSON 对象",
    "the key of the wanted row": "所要那一行的主键",
    "the load's id": "装载的标识",
    "the older version; the one with most cases if not given": "旧版本号；不写则取在办件最多的",
    "the organisation that is asked": "受理的单位",
    "the owner department: code, name or short name": "提供单位：代码、名称或简称",
    "the person's name": "姓名",
    "the request's number or id": "数据需求的编号或标识",
    "the resource's code": "数据资源的代码",
    "the resource's name": "数据资源的名称",
    "the same key again gives the case that was opened with it": "同一个键再次提交，返回已提出的办件",
    "unified social credit code, 18 characters": "统一社会信用代码，18 位",
    "what it is about; a kind with a heading makes its own, then none is given": "标题；标题由表单生成的类型不写",
    "what the pack calls the table; the decision's name if not given": "决策表在能力包里的代码；不写则用决策的名称",
    "where the contract goes; without it, stdout": "约定写到哪里；不写则输出到屏幕",
    "which decision; the first with a table if not given": "哪个决策；不写则取第一个有表的",
    "which obligation, where it is offered on several": "哪个待办；多个待办都可办时写",
    "which obligation, where several offer the action": "哪个待办；多个待办都有这个动作时写",
    "who applies; the actor's own if not given": "申请单位；不写则为办理人自己的单位",
    "who asks; the actor's own if not given": "申请单位；不写则为办理人自己的单位",
    "who takes it; back to its role if not given": "由谁接手；不写则退还给岗位",
    "whose work it is now": "现在是谁的待办",
    "why the second person is waived": "为何免除第二人审核",
    "with the rules of that day; today if not given": "按哪天的规则；不写则为今天",
    "write key and secret there, mode 0600": "密钥写入该文件，权限 0600",
    "write the plan as JSON": "把方案写成 JSON 文件",
    "first line: the password of --as; - is stdin": "第一行为 --as 用户的密码；- 为标准输入",
    "show this help message and exit": "显示这段说明",
}
PATTERNED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"cases a page, 1 to (\d+)"), r"每页件数，1 到 \1"),
)
COMPLAINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"the following arguments are required: (.+)"), r"缺少：\1"),
    (re.compile(r"one of the arguments (.+) is required"), r"须有其中一个：\1"),
    (re.compile(r"unrecognized arguments: (.+)", re.DOTALL), r"没有这样的参数：\1"),
    (re.compile(r"invalid choice: (.+) \(choose from (.+)\)", re.DOTALL), r"没有 \1，可选：\2"),
    (re.compile(r"expected one argument"), "须给一个值"),
    (re.compile(r"expected at most one argument"), "最多一个值"),
    (re.compile(r"expected at least one argument"), "至少一个值"),
    (re.compile(r"expected (\d+) arguments?"), r"须给 \1 个值"),
    (re.compile(r"invalid int value: (.+)", re.DOTALL), r"\1 不是整数"),
    (re.compile(r"ambiguous option: (.+) could match (.+)"), r"\1 不明确，可能是：\2"),
    (re.compile(r"ignored explicit argument (.+)"), r"这里不能带值 \1"),
    (re.compile(r"not allowed with argument (.+)"), r"不能与 \1 同时使用"),
)
HEADINGS = {"positional arguments": "参数", "options": "选项"}
ARGUMENT = re.compile(r"argument ([^:]+): (.*)", re.DOTALL)


class ChineseHelp(argparse.HelpFormatter):
    """Help under Chinese headings."""

    def add_usage(self, usage: str | None, actions: object, groups: object, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)  # type: ignore[arg-type]

    def format_help(self) -> str:
        text = super().format_help()
        for heading in HEADINGS.values():
            text = text.replace(f"{heading}:\n", f"{heading}：\n")
        return text


def complaint(message: str) -> str:
    """Return what argparse says of wrong input, in Chinese."""
    named = ARGUMENT.fullmatch(message)
    if named:
        return f"参数 {named[1]}：{complaint(named[2])}"
    return next((pattern.sub(said, message) for pattern, said in COMPLAINTS if pattern.fullmatch(message)), message)


def speak(parser: argparse.ArgumentParser) -> None:
    """Put the help of a parser and of its options into Chinese; what is not known stays as it is."""
    parser.formatter_class = ChineseHelp
    for group in parser._action_groups:
        group.title = HEADINGS.get(group.title or "", group.title)
    for action in parser._actions:
        if action.help:
            action.help = in_chinese(action.help)


def in_chinese(text: str) -> str:
    """Return the help of an option in Chinese; the text itself if there is none."""
    if text in HELP:
        return HELP[text]
    return next((pattern.sub(said, text) for pattern, said in PATTERNED if pattern.fullmatch(text)), text)
