"""What can go wrong with a case, each said once with the next step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Refused, Terminal

__all__ = [
    "ActionNotOffered",
    "AmbiguousAction",
    "BadDelegation",
    "BadKind",
    "BadSavedView",
    "CannotOperate",
    "CaseChanged",
    "CaseNotFound",
    "CaseSuspended",
    "DraftNotFound",
    "DraftTooLarge",
    "EffectUnknown",
    "FieldProblem",
    "FieldsInvalid",
    "GuardRefused",
    "HandOverRefused",
    "KindNotFound",
    "LimitNotInForce",
    "MembersRefused",
    "MigrationRefused",
    "NobodyInSeat",
    "NotRetractable",
    "OperatorNotAllowed",
    "OpinionsOpen",
    "PackRulesMissing",
    "RequestRefused",
    "SourceUnknown",
    "StuckCase",
    "TableNotFound",
    "TooFewInSeats",
    "TooManyDrafts",
    "TooManyPicked",
    "WaiverRefused",
]


OPERATOR_TITLES: Mapping[str, Mapping[str, str]] = {
    "hand_on": {"zh": "转办", "en": "Hand on"},
    "take_back": {"zh": "退还给本岗位", "en": "Give back to all"},
    "reassign": {"zh": "指派", "en": "Assign"},
    "add_reviewer": {"zh": "加签", "en": "Add a reviewer"},
    "drop_reviewer": {"zh": "撤回加签", "en": "Drop the reviewers"},
    "send_back": {"zh": "退回到", "en": "Send back"},
    "retract": {"zh": "撤回上一步", "en": "Take the last step back"},
    "withdraw": {"zh": "撤回申请", "en": "Withdraw the request"},
    "remind": {"zh": "催办", "en": "Remind"},
    "escalate": {"zh": "督办", "en": "Supervise"},
    "suspend": {"zh": "中止", "en": "Suspend"},
    "resume": {"zh": "恢复办理", "en": "Resume"},
    "extend": {"zh": "延期", "en": "Extend"},
    "merge": {"zh": "并案", "en": "Merge"},
    "split": {"zh": "拆分", "en": "Split"},
}
"""What the generic operators are called in a refusal, as the page calls them."""
ASKED = ("operator", "action")
PLACES: Mapping[str, Mapping[str, str]] = {"reason": {"zh": "变更原因", "en": "the reason"}, "plan": {"zh": "方案", "en": "the plan"}}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "title": {"zh": "标题", "en": "Title"}, "owner": {"zh": "办理单位", "en": "Organisation that handles it"},
    "reason": {"zh": "理由", "en": "Reason"}, "code": {"zh": "代码", "en": "Code"}, "body": {"zh": "内容", "en": "Content"},
}  # fmt: skip
"""What fields are called that belong to no declared form."""
CHANGE_STATES: Mapping[str, Mapping[str, str]] = {
    "drafted": {"zh": "待批准", "en": "waiting for approval"},
    "approved": {"zh": "待执行", "en": "approved"},
    "running": {"zh": "执行中", "en": "being carried out"},
    "done": {"zh": "已完成", "en": "done"},
    "withdrawn": {"zh": "已撤回", "en": "taken back"},
}
"""What is said of how far a change of procedure is."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong value of a form. `field` is a path such as `fields[2].name`; never holds the value.

    `title` is what people read for that place, where its form is known.
    """

    field: str
    code: str
    zh: str
    en: str
    title: Mapping[str, str] | None = None

    def say(self, language: str = "zh") -> str:
        """Return the sentence in `language`."""
        return self.en if language[:2] == "en" else self.zh

    def say_place(self, language: str = "zh") -> str:
        """Return what people read for the place; one that no form knows by its code."""
        title = self.title or FIELDS.get(self.field, {})
        return title.get("en" if language[:2] == "en" else "zh", self.field)


class _Titled(Terminal):
    """A refusal that names something of a kind: it stands in the sentence by its title (`titles`), in `facts` by its code.

    A generic operator, and what a form of a change is called, have their titles here.
    """

    def __init__(self, *, titles: Mapping[str, Mapping[str, str]] | None = None, **facts: object) -> None:
        self.titles = dict(titles or {})
        super().__init__(**facts)

    def in_words(self, language: str = "zh") -> dict[str, object]:
        """Return the facts as people read them."""
        spoken = "en" if language[:2] == "en" else "zh"
        known = {name: OPERATOR_TITLES.get(str(code)) for name, code in self.facts.items() if name in ASKED}
        known["where"] = PLACES.get(str(self.facts.get("where")))
        titles = {**{name: title for name, title in known.items() if title}, **self.titles}
        return {**self.facts, **{name: title.get(spoken) or title["zh"] for name, title in titles.items()}}

    def say(self, language: str = "zh") -> str:
        """Return the sentence in `language`."""
        return self.sentences["en" if language[:2] == "en" else "zh"].format(**self.in_words(language))


class FieldsInvalid(Invalid):
    """Some fields of a form hold what they cannot hold; `problems` names each, by its title where it is said."""

    code = "fields_invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "有 {count} 处需要更正：{fields}。",
        "en": "{count} to correct: {fields}.",
    }

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(count=len(self.problems), fields="")

    def say(self, language: str = "zh") -> str:
        """Return one sentence that names every field and what it needs."""
        mark, join = (": ", "; ") if language[:2] == "en" else ("：", "；")
        fields = join.join(f"{p.say_place(language)}{mark}{p.say(language).rstrip('。.')}" for p in self.problems)
        template = self.sentences["en" if language[:2] == "en" else "zh"]
        return template.format(count=len(self.problems), fields=fields)


class CaseNotFound(Missing):
    code = "case_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "case", **facts})


class KindNotFound(Missing):
    code = "case_kind_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "case_kind", **facts})


class TableNotFound(Missing):
    code = "decision_table_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "decision_table", **facts})


class PackRulesMissing(Invalid):
    code = "table_rules_missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "能力包里没有 tables/{code}.csv。请把决策表的规则放在声明旁边的这个文件里。",
        "en": "The pack has no tables/{code}.csv. Put the rules of the table into that file beside its declaration.",
    }


class TableCodeNeeded(Invalid):
    """A table from elsewhere has a name that no file of a pack can have."""

    code = "table_code_needed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{found}”不能作决策表的代码：需要小写字母开头，由小写字母、数字和下划线组成。请用 --code 给出代码。",
        "en": '"{found}" cannot be the code of a decision table: small letters, digits and _, a letter first. Give one with --code.',
    }


class LimitNotInForce(_Titled, Missing):
    """No limit of this code is in force on the day on which a clock would start; named as its other periods are, if there are any."""

    code = "limit_not_in_force"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{on} 没有生效的时限“{code}”。请在能力包的 limits/*.csv 中补上该时限及其起止日期后重新装载。",
        "en": 'No limit "{code}" is in force on {on}. Add it with its dates to limits/*.csv of a pack and load it again.',
    }


class CaseChanged(Conflict):
    """Someone else acted first: the version that the actor saw is gone."""

    code = "case_changed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {name} 刚被别人办理过（您看到的是第 {expected} 步）。请刷新后再办。",
        "en": "Case {name} was acted on by someone else (you saw step {expected}). Reload and try again.",
    }


class ActionNotOffered(_Titled, Refused):
    """The action is not open to this actor at this step, or does not exist."""

    code = "action_not_offered"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 当前没有您可以办理的“{action}”。请刷新查看现在由谁办理。",
        "en": 'Case {number} offers you no action "{action}" at this step. Reload to see whose turn it is.',
    }


class AmbiguousAction(_Titled, Invalid):
    code = "ambiguous_action"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 有多个待办都有“{action}”。请指明是哪一个待办（obligation_id）。",
        "en": 'Case {number} has several open obligations with "{action}". Name the one meant (obligation_id).',
    }


class GuardRefused(Refused):
    """A guard of the action said no, or could not say yes; unknown never counts as passed."""

    code = "guard_refused"
    sentences: ClassVar[dict[str, str]] = {"zh": "{message_zh}", "en": "{message_en}"}


class WaiverRefused(Refused):
    code = "waiver_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "只有嵌入式部署的本机操作员可以免除第二人审核，且须写明理由。请提交审核。",
        "en": "Only the local operator of the embedded profile may waive the second person, with a reason. "
        "Submit for review instead.",
    }


class BadKind(Terminal):
    """A kind (办件类型) that contradicts itself."""

    code = "bad_case_kind"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件类型 {name} 的 {where}：{problem}。请改正后重新装载。",
        "en": "Case kind {name}, {where}: {problem_en}. Mend it and load it again.",
    }


class EffectUnknown(Terminal):
    code = "effect_unknown"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办理动作所需的“{code_name}”没有登记。请告诉管理员检查已装模块。",
        "en": 'The effect "{code_name}" is not registered. Tell the administrator to check the installed rooms.',
    }


class StuckCase(_Titled):
    """A transition would have left an open case without anybody to act; nothing was written."""

    code = "stuck_case"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{action}”会使办件 {number} 无人可办，已取消本次操作。请让管理员检查办件类型“{kind_code}”。",
        "en": '"{action}" would leave case {number} with nobody to act; nothing was done. '
        'Have the administrator check the kind "{kind_code}".',
    }


class NobodyInSeat(_Titled, Invalid):
    """A step would have asked an organisation in which nobody holds the role; nothing was written."""

    code = "nobody_in_seat"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{organization}没有人担任“{roles}”，办不了“{obligation}”。请改选单位，或先在该单位授予角色。",
        "en": 'Nobody at {organization} holds a role ({roles}) that "{obligation}" needs. '
        "Choose another organisation, or have the role given there first.",
    }


class TooFewInSeats(_Titled, Invalid):
    """A step would have asked more people side by side than hold the roles, where nobody may answer twice; nothing was written."""

    code = "too_few_in_seats"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{obligation}”须由 {needed} 名不同的人办理，{organization}可以办的只有 {found} 人（担任“{roles}”，已办过的不算）。"
        "请先在该单位再授予角色，或改选单位。",
        "en": '"{obligation}" takes {needed} different people, and {organization} has {found} who may (roles {roles}, not counting '
        "who has answered). Have the role given to more people there, or choose other organisations.",
    }


class CaseSuspended(Conflict):
    code = "case_suspended"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 已中止（依据：{basis}）。请先恢复办理。",
        "en": "Case {number} is suspended ({basis}). Resume it first.",
    }


class TimeIsOver(Conflict):
    """The time of the obligation ran out, and its kind says what happens then; it does as soon as the node gets to it."""

    code = "time_is_over"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 的这项待办已于 {due} 期满，将自动转为“{title}”，不能再办理。请稍后刷新。",
        "en": 'The time of this work in case {number} was over at {due}: it becomes "{title_en}" by itself and cannot be done any more. Reload soon.',
    }


class OpinionsOpen(Conflict):
    """Reviewers were added and have not answered yet."""

    code = "opinions_open"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 的加签还有 {count} 份意见未出具。请等待意见，或先撤回加签。",
        "en": "Case {number} still waits for {count} opinions of added reviewers. Wait for them, or take the request back.",
    }


class OperatorNotAllowed(_Titled, Refused):
    code = "operator_not_allowed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{kind_code}”这类办件不允许“{operator}”。确有需要的，请联系管理员调整这类办件的流程。",
        "en": 'Cases of the kind "{kind_code}" do not allow "{operator}". If they should, ask the administrator to change the procedure.',
    }


class CannotOperate(_Titled, Invalid):
    """A generic operator that the case's standing does not allow."""

    code = "cannot_operate"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 不能“{operator}”：{problem}。",
        "en": 'Case {number} cannot take "{operator}": {problem_en}.',
    }


class NotRetractable(Conflict):
    code = "not_retractable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 的最后一步不能撤回：{problem}。请联系现在的办理人退回。",
        "en": "The last step of case {number} cannot be taken back: {problem_en}. Ask whose turn it is to send it back.",
    }


class BadDelegation(Invalid):
    code = "bad_delegation"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "不能设置代办：{problem}。",
        "en": "This delegation cannot be made: {problem_en}.",
    }


class HandOverRefused(Invalid):
    """Nothing that a person holds can be handed over so; `field` says which answer is to be changed."""

    code = "hand_over_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有移交：{problem}。",
        "en": "Nothing was handed over: {problem_en}.",
    }


class RequestRefused(_Titled, Invalid):
    """A request about an account or a role that this way cannot decide."""

    code = "request_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "不能提出这项申请：“{name}”{problem}。请核对后重新填写，或联系安全管理员。",
        "en": 'This cannot be asked for: "{name}" {problem_en}. Check it, or talk to the security administrator.',
    }


class MigrationRefused(_Titled, Invalid):
    """A change procedure that would strand a case, or that is not at that step."""

    code = "migration_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "流程变更不能继续（{where}）：{problem}。",
        "en": "The change of the procedure cannot go on ({where}): {problem_en}.",
    }


class MembersRefused(Invalid):
    """Cases that a batch cannot take into its list, or let go."""

    code = "members_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "办件 {number} 的清单不能这样改：{problem}（{which}）。",
        "en": "The list of case {number} cannot be changed so: {problem_en} ({which}).",
    }


class DraftNotFound(Missing):
    code = "case_draft_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "draft", **facts})


class DraftTooLarge(Invalid):
    code = "case_draft_too_large"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "表单内容有 {found_kb} KB，超过草稿 {limit_kb} KB 的上限。请删减后再保存。",
        "en": "The form holds {found_kb} KB, above the {limit_kb} KB that a draft may have. Shorten it and save again.",
    }


class TooManyDrafts(Conflict):
    code = "too_many_case_drafts"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有提交的表单已有 {limit} 份，不能再多。请在“提出办件”里提交或删去一些。",
        "en": 'There are {limit} unfinished forms, and no more are kept. Submit or discard some under "New case".',
    }


class SourceUnknown(Terminal):
    code = "value_source_unknown"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有登记名为“{source}”的取数来源。请告诉管理员检查已装模块。",
        "en": 'No source of values is registered as "{source}". Tell the administrator to check the installed rooms.',
    }


class BadSavedView(Invalid):
    code = "bad_saved_view"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "不能保存这个筛选：{problem}。",
        "en": "This filter cannot be saved: {problem_en}.",
    }


class TooManyPicked(Invalid):
    code = "too_many_picked"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "一次最多办理 {most} 件，选中了 {found} 件。请分几次办理。",
        "en": "At most {most} cases at once, {found} were chosen. Do them in several goes.",
    }
