"""Check that a kind holds together before anyone can open a case of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.conditions import compile_condition
from yunhe.core.cases.rules.fields import HEADING_FIELD, OPENER_NAME, check_values, scalar_types
from yunhe.core.cases.rules.guards import expression_fields, group_fields, reference_types
from yunhe.core.cases.rules.settling import check_forms
from yunhe.core.cases.rules.verdicts import judge_kind
from yunhe.core.cases.types import EffectSpec, FieldSpec, KindSpec
from yunhe.core.cases.types.kinds import SetSpec
from yunhe.engine.decisions import EVERY_HIT, Table
from yunhe.kernel.errors import YunheError

RANK = "member.rank"
PAST_ROOMS = ("send_back", "retract", "merge", "split")
"""Operators that move or end a case without the effects by which its steps tell rooms."""

OWN_WORDS = frozenset({
    "open", "waiver", "recount", "migrate", "warn", "take_back", "drop_reviewer", "give_opinion", "retract", "withdraw", "remind", "escalate",
    "suspend", "resume", "extend", "merge", "unmerge", "take_in", "split", "child_closed", "cancel", "lapse", "recur", "take_members",
    "drop_members", "join_batch", "leave_batch", "for_members", "reassign", "retitle",
})  # fmt: skip
"""How the engine names its own events: no action is called so, or the engine would take the one for the other."""

# What `set_field` and the arguments of `call` can refer to, beside `data.x` and `form.x`.
CASE_PARTS = ("id", "number", "title", "subject_type", "subject_id", "organization", "owner", "opener_id", "opener_name")
REFERENCES = frozenset({f"case.{part}" for part in CASE_PARTS} | {"actor.id", "actor.name", "actor.organization", "action.name"})


def check_kind(kind: KindSpec) -> tuple[tuple[str, str, str], ...]:
    """Return every contradiction as (where, Chinese, English); none means the kind may be published.

    What it does is proved once what it names is there.
    """
    named = (*_names(kind), *_heading(kind), *_groups(kind), *_limits(kind), *_effects(kind), *_children(kind), *_conditions(kind), *check_forms(kind))
    named += (*_operators(kind), *_sealed(kind), *_own_words(kind), *_after_the_end(kind), *_never_asked(kind))
    return named or judge_kind(kind)


def list_all_effects(kind: KindSpec) -> Iterator[EffectSpec]:
    """Yield every effect of the kind."""
    for _where, effects, _form, _group in blocks_of(kind):
        yield from effects


def _names(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    for where, names in (
        ("phases", [phase.code for phase in kind.phases]),
        ("fields", [field.name for field in kind.fields]),
        *((where, [field.name for field in form]) for where, _, form, _ in blocks_of(kind)),
    ):
        for name in {name for name in names if names.count(name) > 1}:
            yield where, f"“{name}”出现两次", f'"{name}" appears twice'
    for name in set(kind.withdraw.phases) - {phase.code for phase in kind.phases} if kind.withdraw else ():
        yield "withdraw.phases", f"没有阶段“{name}”", f'there is no phase "{name}"'
    own = {field.name for field in kind.fields}
    for where, _, form, _ in blocks_of(kind):
        for field in form:
            for used in filter(None, (field.subset_of, field.default_from.removeprefix("data."))):
                if used not in own:
                    yield f"{where}.fields.{field.name}", f"办件没有字段“{used}”", f'the case has no field "{used}"'


def _heading(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    own = {field.name for field in kind.fields if field.type in ("text", "choice", "date", "integer")}
    for name in sorted(set(HEADING_FIELD.findall(kind.heading)) - own - {OPENER_NAME}):
        yield "heading", f"没有可写入标题的字段“{name}”", f'no field "{name}" can stand in a title'


def _sealed(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    for name, obligation in kind.obligations.items():
        if obligation.group in kind.groups and kind.groups[obligation.group].sealed:
            for action_name, action in obligation.actions.items():
                if action.effects:
                    yield f"obligations.{name}.actions.{action_name}", "密封的一组里，答复不能有效果：由这一组的规则决定", (
                        "what is sealed may have no effects of its own: the rules of its group decide"
                    )


def _groups(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    lists = {field.name for field in kind.fields if field.type == "list" or field.format == "organization"}
    dates = {field.name for field in kind.fields if field.type == "date"}
    for name, obligation in kind.obligations.items():
        where = f"obligations.{name}"
        if obligation.group and obligation.group not in kind.groups and kind.groups:
            yield where, f"没有组“{obligation.group}”", f'there is no group "{obligation.group}"'
        if obligation.child and obligation.group not in kind.groups:
            yield where, "子办件的待办须属于一个有规则的组", "an obligation with a child needs a group with rules"
        if obligation.who.each and obligation.who.each not in lists:
            yield where, f"没有写单位的字段“{obligation.who.each}”", f'no field "{obligation.who.each}" names organisations'
        if obligation.recurs and obligation.recurs.until and obligation.recurs.until not in dates:
            yield where, f"没有日期字段“{obligation.recurs.until}”", f'there is no date field "{obligation.recurs.until}"'
    for name, group in kind.groups.items():
        members = [o for o in kind.obligations.values() if o.group == name]
        if not members:
            yield f"groups.{name}", "没有待办属于它", "no obligation belongs to it"
        numbers = {f.name for o in members for a in o.actions.values() for f in a.fields if f.type in ("integer", "decimal")}
        if group.score and group.score not in numbers:
            yield f"groups.{name}.score", f"没有数值字段“{group.score}”", f'no action has a number "{group.score}"'


def _limits(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    actions = {name: action for obligation in kind.obligations.values() for name, action in obligation.actions.items()}
    for name in dict.fromkeys(limit.starts_with for limit in kind.limits if limit.starts_with):
        if name not in actions:
            yield "limits", f"没有动作“{name}”", f'there is no action "{name}"'
        elif any(effect.pause_clocks for effect in actions[name].effects):
            yield "limits", f"“{name}”使时限暂停，不能同时开始计时", f'"{name}" pauses the clocks and cannot start one as well'
    for name, obligation in kind.obligations.items():
        if any(limit.starts_with for limit in obligation.limits):
            yield f"obligations.{name}.limits", "starts_with 只用于整件的时限", "starts_with belongs to a limit of the whole case"


def _own_words(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield each action that is called as an event of the engine, or as an operator that the kind allows."""
    for name, obligation in kind.obligations.items():
        for action in obligation.actions.keys() & {*OWN_WORDS, *kind.operators}:
            zh = f"“{action}”是系统自己的动作名，请换一个名称"
            yield f"obligations.{name}.actions.{action}", zh, f'"{action}" is how the engine names an event of its own; take another name'


def _after_the_end(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield each effect that opens an obligation, or ends the case, where it has ended already."""
    for where, effects, _form, _group in blocks_of(kind):
        ends: list[str] = []
        for effect in effects:
            if (effect.open_obligation or effect.close_case) and any(when in ("", effect.when) or not effect.when for when in ends):
                zh = f"办件办结（close_case）之后，“{effect.open_obligation or effect.close_case}”不会再发生；请写在它前面或写明条件"
                yield where, zh, f'after close_case "{effect.open_obligation or effect.close_case}" never happens: put it before, or say when'
            ends += [effect.when] if effect.close_case else []


def _never_asked(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield what is declared and can never count: a limit behind one that always applies, a rung twice."""
    for where, limits in (("limits", kind.limits), *((f"obligations.{name}.limits", o.limits) for name, o in kind.obligations.items())):
        always = set[str]()
        for number, limit in enumerate(limits):
            if limit.starts_with in always:
                yield f"{where}[{number}]", "前面的时限没有条件，总先适用，这一条永远用不到", "a limit before it has no condition and always counts first"
            always |= {limit.starts_with} if not limit.when else set()
    percents = [rung.percent for rung in kind.ladder]
    for percent in sorted({one for one in percents if percents.count(one) > 1}):
        yield "ladder", f"{percent}% 写了两次", f"{percent} % stands there twice"


def _effects(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    own = {field.name for field in kind.fields}
    phases = {phase.code for phase in kind.phases}
    for where, effects, form, group in blocks_of(kind):
        allowed = REFERENCES | {f"data.{name}" for name in own} | {f"form.{field.name}" for field in form}
        allowed |= {f"group.{name}" for name in group_fields(kind, group)} if group else set()
        for effect in effects:
            for name in (effect.open_obligation, effect.close_obligations if effect.close_obligations != "all" else ""):
                if name and name not in kind.obligations:
                    yield where, f"没有待办“{name}”", f'there is no obligation "{name}"'
            if effect.close_group and effect.close_group not in kind.groups:
                yield where, f"没有组“{effect.close_group}”", f'there is no group "{effect.close_group}"'
            if effect.go_to_phase and effect.go_to_phase not in phases:
                yield where, f"没有阶段“{effect.go_to_phase}”", f'there is no phase "{effect.go_to_phase}"'
            if effect.set_field and effect.set_field.field not in own:
                yield where, f"办件没有字段“{effect.set_field.field}”", f'the case has no field "{effect.set_field.field}"'
            elif effect.set_field and not _fits(kind, form, group, effect.set_field):
                yield where, f"字段“{effect.set_field.field}”放不下这个值", f'field "{effect.set_field.field}" cannot hold that value'
            if effect.for_members and not kind.batch:
                yield where, "只有批量办件（batch）才有清单", "only a kind with a batch has members"
            more = {RANK} if effect.for_members else set[str]()
            for source in _sources(effect):
                if source and source not in allowed | more and not source.startswith("'"):
                    yield where, f"不能引用“{source}”", f'"{source}" cannot be referred to'


def _fits(kind: KindSpec, form: tuple[FieldSpec, ...], group: str, told: SetSpec) -> bool:
    """Tell whether a field can hold what is put into it: a constant that its form would take, or a reference of its type."""
    target = next(field for field in kind.fields if field.name == told.field)
    if not told.source:
        return not check_values((target,), {target.name: told.value}, partial=True)[1]
    declared = {f"data.{f.name}": f.type for f in kind.fields} | {f"form.{f.name}": f.type for f in form}
    counted = {f"group.{name}": kind_ for name, kind_ in group_fields(kind, group).items()} if group else {}
    found = (declared | counted).get(told.source, "text")
    texts = {"text", "choice"}
    return target.type in (found, "json") or {target.type, found} <= texts or (target.type, found) == ("decimal", "integer")


def _children(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield what the sub-case of an obligation is given and nothing has."""
    allowed = REFERENCES | {f"data.{field.name}" for field in kind.fields}
    for name, obligation in kind.obligations.items():
        for source in (obligation.child.title, *obligation.child.data.values()) if obligation.child else ():
            if source not in allowed and not source.startswith("'"):
                yield f"obligations.{name}.child", f"不能引用“{source}”", f'"{source}" cannot be referred to'
        for field in sorted(obligation.child.results.keys() - {field.name for field in kind.fields}) if obligation.child else ():
            yield f"obligations.{name}.child.results", f"办件没有字段“{field}”", f'the case has no field "{field}"'


def check_results(kind: KindSpec, name: str, child: KindSpec | None) -> Iterator[tuple[str, str, str]]:
    """Yield what the sub-case of an obligation cannot give back; None if its kind is not published."""
    declared, where = kind.obligations[name].child, f"obligations.{name}.child.results"
    if declared is None or not declared.results:
        return
    if child is None:
        yield where, f"没有办件类型“{declared.kind}”", f'there is no kind "{declared.kind}"'
        return
    own, theirs = {f.name: f.type for f in kind.fields}, {f.name: f.type for f in child.fields}
    for field, source in declared.results.items():
        if source not in theirs:
            yield where, f"子办件没有字段“{source}”", f'the sub-case has no field "{source}"'
        elif field in own and own[field] != theirs[source]:
            yield where, f"字段“{field}”放不下这个值", f'field "{field}" cannot hold that value'


def _operators(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield that a kind whose steps rooms act on, or wait for, says nothing of operators that go past them."""
    by_room = any(action.by_room for o in kind.obligations.values() for action in o.actions.values())
    if "operators" not in kind.model_fields_set and (by_room or any(effect.call for effect in list_all_effects(kind))):
        past = ", ".join(PAST_ROOMS)
        zh = f"办件牵动别的模块，而 {past} 不经过它的动作；请在 operators 中写明允许哪些通用操作"
        yield "operators", zh, f"rooms act on its steps, and {past} go past them: name the operators that it allows"


def _sources(effect: EffectSpec) -> list[str]:
    """Return every reference of an effect."""
    sources = [*effect.arguments.values(), *([effect.set_field.source] if effect.set_field else [])]
    if effect.decide:
        sources += effect.decide.inputs.values()
    return sources + [source for one in effect.for_members for source in one.form.values()]


def check_decisions(kind: KindSpec, tables: Mapping[str, Table]) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit between the kind and the decision tables that it asks; a missing table is one."""
    fields = scalar_types(kind.fields) | {field.name: "list" for field in kind.fields if field.type == "list"}
    for where, effects, form, _ in blocks_of(kind):
        types = reference_types(kind, form)
        for asked in filter(None, (effect.decide for effect in effects)):
            table = tables.get(asked.table)
            if table is None:
                yield where, f"没有决策表“{asked.table}”", f'there is no decision table "{asked.table}"'
                continue
            header = table.declaration
            needed = {**header.fields, **{one.name: one.type for one in header.inputs if not one.expression}}
            for name in asked.inputs.keys() - needed.keys():
                yield where, f"决策表没有条件“{name}”", f'the table has no input "{name}"'
            for name, wanted in needed.items():
                source = asked.inputs.get(name, f"data.{name}")
                found = types.get(source, "string" if source in REFERENCES or source.startswith("'") else "")
                if found != wanted:
                    found = found or "?"
                    yield where, f"条件“{name}”需要 {wanted}，“{source}”是 {found}", f'input "{name}" takes {wanted}, "{source}" is {found}'
            many = header.hit in EVERY_HIT
            for output in header.outputs:
                target, held = asked.into.get(output.name, output.name), "list" if many else output.type
                if fields.get(target) != held:
                    yield where, f"结果“{output.name}”需要一个 {held} 字段", f'output "{output.name}" needs a {held} field of the case'


def check_batch(kind: KindSpec, member: KindSpec | None) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit between a batch and the kind of its members; None if that is not published."""
    if kind.batch is None:
        return
    if member is None:
        yield "batch", f"没有办件类型“{kind.batch.kind}”", f'there is no kind "{kind.batch.kind}"'
        return
    order = kind.batch.order_by.removeprefix("-")
    if order and order not in scalar_types(member.fields):
        yield "batch.order_by", f"成员没有字段“{order}”", f'members have no field "{order}"'
    actions = {name for o in member.obligations.values() if o.who.person == "batch" for name in o.actions}
    fields = tuple(sorted(member_fields(kind, member).items()))
    for where, effects, _form, _ in blocks_of(kind):
        for one in (one for effect in effects for one in effect.for_members):
            if one.action not in actions:
                yield where, f"成员没有等候批量办件的动作“{one.action}”", f'no obligation that waits for a batch has "{one.action}"'
            try:
                if one.when:
                    compile_condition(one.when, fields)
            except YunheError as error:
                yield where, error.say("zh"), error.say("en")


def member_fields(kind: KindSpec, member: KindSpec) -> dict[str, str]:
    """Return what a condition about a member can name: its fields, its rank, the batch's own fields as `batch_…`."""
    return {**expression_fields(member), **scalar_types(kind.fields, "batch_"), "member_rank": "integer"}


def _conditions(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    plain = expression_fields(kind)
    texts: list[tuple[str, str, dict[str, str]]] = [("limits", limit.when, plain) for limit in kind.limits]
    for name, obligation in kind.obligations.items():
        texts += [(f"obligations.{name}.limits", limit.when, plain) for limit in obligation.limits]
        for action_name, action in obligation.actions.items():
            where, fields = f"obligations.{name}.actions.{action_name}", expression_fields(kind, action.fields)
            texts += [(where, guard.when, fields) for guard in action.guards]
    for name, group in kind.groups.items():
        fields = {**plain, **group_fields(kind, name)}
        texts += [(f"groups.{name}.rules[{number}]", rule.when, fields) for number, rule in enumerate(group.rules)]
    for where, effects, form, _ in blocks_of(kind):
        texts += [(where, effect.when, expression_fields(kind, form)) for effect in effects]
    for where, text, fields in texts:
        try:
            if text:
                compile_condition(text, tuple(sorted(fields.items())))
        except YunheError as error:
            yield where, error.say("zh"), error.say("en")
