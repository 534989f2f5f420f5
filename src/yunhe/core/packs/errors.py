"""What can go wrong with packs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from yunhe.core.packs.types import PackItem, PackProblem
from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal, YunheError


class PackNotFound(Missing):
    code = "pack_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到能力包“{name}”。找过：{places}。",
        "en": 'No pack "{name}". Looked in: {places}.',
    }


class PackBroken(Invalid):
    """`problems` holds every problem with file, line and path; the sentence tells the first."""

    code = "pack_broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "能力包“{name}”有 {count} 处问题，没有装入任何内容。第一处：{place}：{first}",
        "en": 'Pack "{name}" has {count} problem(s); nothing was loaded. The first: {place}: {first_en}',
    }

    def __init__(self, *, name: str, problems: tuple[PackProblem, ...]) -> None:
        self.problems = problems
        super().__init__(
            name=name, count=len(problems), place=problems[0].place,
            first=problems[0].say("zh"), first_en=problems[0].say("en"),
        )


class BadPackItem(Invalid):
    """A loader's word that one item does not fit; becomes a problem with the item's file and line."""

    code = "bad_pack_item"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{field}：需要{expected}，实际是{found}。",
        "en": "{field}: expected {expected}, found {found}.",
    }

    def __init__(self, *, item: PackItem, field: str, expected: Mapping[str, str], found: Mapping[str, str] | object) -> None:
        self.item = item
        super().__init__(field=field, expected=expected, found=found)


class RefusedPackItem(Invalid):
    """What the room below said of one item; becomes a problem with the item's file and line."""

    code = "refused_pack_item"
    sentences: ClassVar[dict[str, str]] = {"zh": "{zh}", "en": "{en}"}

    def __init__(self, *, item: PackItem, error: YunheError) -> None:
        self.item = item
        super().__init__(zh=error.say("zh"), en=error.say("en"), field=item.section)


class PackNeedsRights(Terminal):
    code = "pack_needs_rights"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "能力包“{name}”会改变权限（{what}），须由安全管理员装入。",
        "en": 'Pack "{name}" changes rights ({what}); the security administrator must load it.',
    }


class PackChangedMeanwhile(Conflict):
    code = "pack_changed_meanwhile"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "能力包“{name}”正由别人装入。请稍后再试。",
        "en": 'Pack "{name}" is being loaded by someone else. Try again in a moment.',
    }


class SlotTaken(Terminal):
    code = "pack_slot_taken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”已经登记过（{holder}）。请换一个名字。",
        "en": '"{name}" is registered already ({holder}). Choose another name.',
    }


class SlotsClosed(Terminal):
    code = "pack_slots_closed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "启动已结束，不能再登记“{name}”。请在应用的 ready() 里登记。",
        "en": 'Start-up is over; "{name}" cannot be registered any more. Register it in the app\'s ready().',
    }
