"""What can go wrong in lake; each says the next step."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Terminal, Transient

__all__ = [
    "AlreadyCurrent",
    "BelowMinimum",
    "BlockedByRule",
    "LoadUnderWay",
    "NotPublished",
    "NothingReleased",
    "NothingSetAside",
    "ReleaseLost",
    "ReleaseMoved",
    "ReturnUnderWay",
    "RollBackUnderWay",
    "SecondPersonNeeded",
    "SetAsideSwept",
    "SnapshotNotKept",
    "SnapshotSwept",
    "SourceNotAllowed",
    "SourceRootsBroken",
]


class LoadUnderWay(Conflict):
    code = "load_under_way"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 正在装载（作业 {job}）。请等它结束或先取消它，再重新装载。",
        "en": "Resource {resource} is being loaded (job {job}). Wait for it or cancel it, then load again.",
    }


class NotPublished(Terminal):
    code = "not_published"
    kind: ClassVar = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 现在是“{state}”，只有已发布的资源可以装载。请先提交并完成发布。",
        "en": 'Resource {resource} is "{state}"; only a published resource can be loaded. Publish it first.',
    }


class BelowMinimum(Terminal):
    code = "below_minimum"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 这次只有 {rows} 行可用，约定最少 {minimum} 行，未发布；原有版本不变。请查看隔离与拒收记录。",
        "en": (
            "Only {rows} usable rows for {resource}, the contract asks for {minimum}; nothing was released and "
            "the earlier release stays. See the quarantined and rejected records."
        ),
    }


class BlockedByRule(Terminal):
    code = "blocked_by_rule"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 未通过阻断规则 {rules}，未发布；原有版本不变。请退回数源更正，或修改约定中该规则的级别。",
        "en": (
            "{resource} failed the blocking rules {rules}; nothing was released and the earlier release stays. "
            "Have the source corrected, or change the rule in the contract."
        ),
    }


class ReleaseLost(Conflict):
    code = "release_lost"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的发布已被另一次装载抢先，本次结果没有生效。请重新装载。",
        "en": "Another load released {resource} first; this result did not take effect. Load again.",
    }


class NothingReleased(Terminal):
    code = "nothing_released"
    kind: ClassVar = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 还没有可用数据。请先装载（yunhe load {resource}）。",
        "en": "Resource {resource} has no released data yet. Load it first (yunhe load {resource}).",
    }


class SourceNotAllowed(Terminal):
    code = "source_not_allowed"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": (
            "机构 {owner} 的数据不能从 {location} 读取。允许的目录：{folders}。请写完整路径，把文件放到其中，或请"
            "系统管理员在设置 SOURCE_ROOTS 中为该机构增加目录。"
        ),
        "en": (
            "Data of organisation {owner} may not be read from {location}. Allowed folders: {folders}. Give the "
            "full path, put the file into one of them, or have the system administrator add a folder for the "
            "organisation (setting SOURCE_ROOTS)."
        ),
    }


class SourceRootsBroken(Terminal):
    code = "source_roots_broken"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "设置 SOURCE_ROOTS 中的“{entry}”无法识别。请系统管理员写作 /目录、机构代码=/目录 或 *=/目录，多项以冒号分隔。",
        "en": (
            'The setting SOURCE_ROOTS holds "{entry}", which is not understood. Have the system administrator '
            'write /folder, ORGANISATION=/folder or *=/folder, several by colon.'
        ),
    }


class SnapshotSwept(Transient):
    code = "snapshot_swept"
    kind: ClassVar = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 本次装载写入的快照已不在数据湖中，没有发布；原有版本不变。请重新装载。",
        "en": "The snapshot that this load wrote for {resource} is no longer in the lake; nothing was released and the earlier release stays. Load again.",
    }


class AlreadyCurrent(Conflict):
    code = "already_current"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的发布 #{number} 就是当前版本，不用回退。请选择更早的发布。",
        "en": "Release #{number} of {resource} is the current one. Choose an earlier one.",
    }


class ReleaseMoved(Conflict):
    """The request was about another current release than there is now."""

    code = "release_moved"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "提出回退时资源 {resource} 的当前版本是 #{asked}，现在已是 #{number}。请不予批准，核对新版本后再提出。",
        "en": "When the roll-back was asked for, #{asked} of {resource} was current; now it is #{number}. "
        "Refuse it, and ask again if the new one is wrong, too.",
    }


class RollBackUnderWay(Conflict):
    code = "roll_back_under_way"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 已有在办的回退申请 {case}。请先办完它。",
        "en": "A roll-back of {resource} is asked for already: {case}. Finish that first.",
    }


class SecondPersonNeeded(Terminal):
    code = "second_person_needed"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的发布不能由一个人直接回退。请提出回退申请，由本单位负责人批准。",
        "en": "Nobody rolls {resource} back alone. Ask for it; a leader of the organisation approves.",
    }


class NothingSetAside(Conflict):
    code = "nothing_set_aside"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "装载 {load} 没有隔离或拒收的记录，不用退回数源。",
        "en": "Load {load} set no record aside; there is nothing to return.",
    }


class ReturnUnderWay(Conflict):
    code = "return_under_way"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "装载 {load} 的记录已在办件 {case} 中退回数源。请到该办件查看进展。",
        "en": "The records of load {load} were returned already, in case {case}. See how it stands there.",
    }


class SnapshotNotKept(Terminal):
    code = "snapshot_not_kept"
    kind: ClassVar = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的发布 #{number} 的快照已清理，不能回滚到它。还保留的发布：{kept}。请选择其中之一，或重新装载。",
        "en": (
            "The snapshot of release #{number} of {resource} was swept, so it cannot come back. Releases still "
            "kept: {kept}. Choose one of them, or load again."
        ),
    }


class SetAsideSwept(Terminal):
    code = "set_aside_swept"
    kind: ClassVar = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "装载 {load} 的隔离与拒收记录已过保留期并清除，只留下计数。请查看较新的装载。",
        "en": "The quarantined and rejected records of load {load} were removed after their time; only the counts remain. See a newer load.",
    }
