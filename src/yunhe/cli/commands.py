"""What a command is: a path of words, a declared permission, a parser and a run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yunhe.kernel.actor import Actor


def spoken() -> str:
    """Return the language that the command line speaks: zh or en, by the first of these that the environment sets (POSIX 8.2)."""
    told = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "en" if told.startswith("en") else "zh"


def both(zh: str, en: str) -> dict[str, str]:
    """Return a text in both languages, as the help of a command is written."""
    return {"zh": zh, "en": en}


def say(zh: str, en: str) -> str:
    """Return what is said in the language of the command line."""
    return en if spoken() == "en" else zh


@dataclass(frozen=True, slots=True)
class Context:
    """What a command's run gets besides its arguments."""

    actor: Callable[[], Actor]
    as_json: bool
    language: str

    def note(self, text: str) -> None:
        """Say something to the person; never on stdout."""
        print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Output:
    """A command's answer: `data` is the one JSON line, `lines` what a person reads.

    `exit_code` is not 0 where the answer itself tells of something that scripts must not pass over.
    """

    data: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    exit_code: int = 0


Run = Callable[[Context, argparse.Namespace], Output]
Configure = Callable[[argparse.ArgumentParser], None]


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `permission` is checked by the api it calls; "operator" needs YUNHE_HOME only."""

    path: tuple[str, ...]
    permission: str
    help: Mapping[str, str]
    run: Run
    configure: Configure = field(default=_no_arguments)
    needs_node: bool = True


def print_output(output: Output, *, as_json: bool) -> None:
    """Print JSON as one line, or the lines for a person."""
    if as_json:
        print(json.dumps(output.data, ensure_ascii=False, default=_plain), flush=True)
        return
    for line in output.lines:
        print(line, flush=True)


def _plain(value: object) -> str:
    """Return what JSON has no form for: a moment as ISO 8601 with its zone, anything else as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


HEADINGS: Mapping[str, str] = {
    "#": "序号", "about": "事由", "action": "动作", "active": "在用", "after": "变更后", "amount": "数量", "at": "时间", "attempts": "次数", "basis": "依据",
    "before": "变更前", "by": "办理人", "case": "办件", "cases": "件数", "change": "变更", "check": "检查项", "checked": "检查数",
    "choice": "处理", "clock": "时钟", "code": "代码", "column": "列", "consumer": "使用方", "current": "当前", "digest": "摘要",
    "dimension": "维度", "done": "办成", "due": "到期", "element": "数据元", "error": "错误", "fact": "内容", "failed": "不合格",
    "found": "实际", "from": "起", "grant": "授权", "help": "说明", "hit": "命中策略", "job": "作业", "key": "密钥", "kind": "类型",
    "letter": "死信", "limit": "时限", "loaded": "装入时间", "made": "新建时间", "mask": "脱敏", "moved": "已移动", "name": "名称",
    "next step": "下一步", "no longer theirs": "不再经办", "number": "编号", "obligation": "待办", "open": "未了结", "organization": "单位",
    "pack": "能力包", "page": "页面", "phase": "阶段", "provider": "提供单位", "query": "条件", "rank": "名次", "reason": "原因",
    "reasons": "原因", "refusal": "未办原因", "release": "发布", "resource": "数据资源", "revoked": "收回时间", "rows": "行数", "rule": "规则",
    "rules": "规则数", "severity": "级别", "sharing": "共享属性", "short": "简称", "since": "起算", "stands": "进展", "state": "状态",
    "step": "步骤", "subject": "对象", "table": "决策表", "title": "标题", "to do": "待办", "told": "通知", "tries": "次数", "type": "类型",
    "unit": "单位", "until": "止", "username": "用户名", "v": "版本", "value": "值", "version": "版本", "versions": "版本", "via": "经由",
    "waits for": "等候", "way": "渠道", "what": "事项", "whom": "收件人", "why": "依据",
}  # fmt: skip
"""What the columns of our own tables are called in Chinese."""


def named_lines(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> tuple[str, ...]:
    """Return text columns under headings of our own, in the language of the command line."""
    return table_lines([say(HEADINGS.get(one, one), one) for one in headings], rows)


def table_lines(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> tuple[str, ...]:
    """Return aligned text columns; Chinese characters count two cells."""
    grid = [[str(h) for h in headings], *[[("" if c is None else str(c)) for c in row] for row in rows]]
    widths = [max(_cells(row[i]) for row in grid) for i in range(len(grid[0]))]
    return tuple("  ".join(c + " " * (w - _cells(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in grid)


def _cells(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
