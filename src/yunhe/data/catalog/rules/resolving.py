"""A contract as written becomes a whole contract: elements and the resource fill what fields leave open.

A data set is graded as its highest field (GB/T 43697-2024, 就高从严), and what is personal by its
element cannot be declared otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from yunhe.data.catalog.rules.problems import Problems, did_you_mean
from yunhe.data.catalog.rules.reading import RawContract, RawField, RawRule
from yunhe.data.catalog.types import GRADES, SHARINGS, Contract, ContractField, ContractRule
from yunhe.data.standards.types import Element
from yunhe.engine.expressions import ExpressionRefused, parse_expression
from yunhe.engine.masks import MASKS

# A field of these types may be read into a field of those (element's type -> declared type).
HOLDS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "integer": frozenset({"integer", "decimal", "string"}),
    "decimal": frozenset({"decimal", "string"}),
    "date": frozenset({"date", "timestamp", "string"}),
    "timestamp": frozenset({"timestamp", "string"}),
    "boolean": frozenset({"boolean", "string"}),
}
# Kind -> the arguments a contract may write for it; kinds are those of engine.checks.
RULE_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "expression": frozenset(),
    "required": frozenset(),
    "unique": frozenset(),
    "not_future": frozenset(),
    "citizen_id": frozenset(),
    "uscc": frozenset(),
    "organization_code": frozenset(),
    "licence_id": frozenset(),
    "id_birth_date": frozenset(),
    "id_gender": frozenset({"male", "female"}),
    "id_region": frozenset({"digits"}),
    "pattern": frozenset({"pattern"}),
    "length": frozenset({"min", "max"}),
    "range": frozenset({"min", "max"}),
    "date_range": frozenset({"min", "max"}),
    "in_code_set": frozenset({"code_set", "as_of"}),
}
NEEDS_ARGUMENTS = frozenset({"pattern", "length", "range", "date_range", "in_code_set"})
OPEN_GRADE = 2


def resolve_contract(raw: RawContract, elements: Mapping[str, Element], problems: Problems) -> Contract:
    """Return the whole contract; what contradicts itself or its elements is in `problems`."""
    fields = tuple(_field(one, i, raw, elements, problems) for i, one in enumerate(raw.fields))
    lines = dict(raw.lines)
    for i, one in enumerate(raw.fields):
        lines[f"fields[{i}]"] = one.line
    for i, rule in enumerate(raw.rules):
        lines[f"rules[{i}]"] = rule.line
    _check_names(raw, fields, problems)
    contract = _assemble(raw, fields, lines, problems)
    _check_sharing(contract, problems)
    return contract


def _assemble(raw: RawContract, fields: tuple[ContractField, ...], lines: dict[str, int], problems: Problems) -> Contract:
    return Contract(
        **raw.texts,  # type: ignore[arg-type]
        fields=fields,
        grade=_grade(raw, fields, problems),
        personal=_personal(raw, fields, problems),
        related=raw.related,
        source=raw.source,
        keys=raw.keys,
        rules=_rules(raw, fields, problems),
        minimum_rows=raw.minimum_rows,
        file=problems.file,
        lines=lines,
    )


def _field(
    raw: RawField, index: int, whole: RawContract, elements: Mapping[str, Element], problems: Problems
) -> ContractField:
    element = elements.get(raw.element)
    at = f"fields[{index}]"
    if raw.element and element is None:
        words = {**did_you_mean(raw.element, sorted(elements))}
        problems.add(raw.line, f"{at}.element", zh="已发布的数据元", en="a published element", found=raw.element, **words)
    personal = raw.personal if raw.personal is not None else bool(element and element.personal)
    if element and element.personal and raw.personal is False:
        problems.add(
            raw.line, f"{at}.personal", zh=f"true（{element.title}属于个人信息）",
            en=f"true ({element.title_en} is personal)", found="false",
        )  # fmt: skip
    return ContractField(
        name=raw.name,
        title=raw.title or _title(raw, element),
        column=raw.column or raw.name,
        type=_type(raw, at, element, problems),  # type: ignore[arg-type]
        element=raw.element,
        null_marks=raw.null_marks,
        scale=raw.scale,
        zone=_zone(raw, at, problems),
        required=raw.required,
        sharing=raw.sharing or whole.texts["sharing"],  # type: ignore[arg-type]
        sharing_basis=raw.sharing_basis,
        opening=raw.opening or ("closed" if personal else whole.texts["opening"]),  # type: ignore[arg-type]
        grade=raw.grade or (element.grade if element else 1),
        personal=personal,
        mask=_mask(raw, at, element, problems),
        block=raw.block,
    )


def _title(raw: RawField, element: Element | None) -> str:
    """Return the column's own name where it is Chinese, else the element's title, else the column or field."""
    if raw.column and not raw.column.isascii():
        return raw.column
    return element.title if element else raw.column or raw.name


def _type(raw: RawField, at: str, element: Element | None, problems: Problems) -> str:
    if element is None or not raw.type:
        return raw.type or (element.type if element else "string")
    allowed = HOLDS[element.type]
    if raw.type not in allowed:
        words, words_en = "、".join(sorted(allowed)), ", ".join(sorted(allowed))
        problems.add(
            raw.line, f"{at}.type", zh=f"数据元“{element.code}”可用的类型 {words}",
            en=f'a type for the element "{element.code}": {words_en}', found=raw.type,
        )  # fmt: skip
    return raw.type


def _zone(raw: RawField, at: str, problems: Problems) -> str:
    try:
        ZoneInfo(raw.zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.add(raw.line, f"{at}.zone", zh="时区名，如 Asia/Shanghai", en="a time zone like Asia/Shanghai", found=raw.zone)
    return raw.zone


def _mask(raw: RawField, at: str, element: Element | None, problems: Problems) -> str:
    if not raw.mask:
        return element.mask if element else "none"
    if raw.mask not in MASKS:
        problems.add(
            raw.line, f"{at}.mask", zh="已有的脱敏方式", en="a known mask", found=raw.mask,
            **did_you_mean(raw.mask, MASKS),
        )  # fmt: skip
    return raw.mask


def _grade(raw: RawContract, fields: tuple[ContractField, ...], problems: Problems) -> int:
    highest = max((one.grade for one in fields), default=1)
    if raw.grade is not None and raw.grade < highest:
        titles = [one.title for one in fields if one.grade == highest][:3]
        problems.add(
            raw.lines.get("grade", 0), "grade", zh=f"不低于最高信息项的{GRADES[str(highest)]['zh']}（{'、'.join(titles)}）",
            en=f"at least grade {highest}, that of its highest fields ({', '.join(titles)})", found=raw.grade,
            next_zh="数据集分级就高从严，请改分级或调整信息项。", next_en="A data set is graded as its highest field.",
        )  # fmt: skip
    return raw.grade or highest


def _personal(raw: RawContract, fields: tuple[ContractField, ...], problems: Problems) -> bool:
    found = [one.title for one in fields if one.personal]
    if raw.personal is False and found:
        problems.add(
            raw.lines.get("personal", 0), "personal", zh=f"true（含个人信息：{'、'.join(found[:3])}）",
            en=f"true (personal fields: {', '.join(found[:3])})", found="false",
        )  # fmt: skip
    return bool(raw.personal) or bool(found)


def _check_names(raw: RawContract, fields: tuple[ContractField, ...], problems: Problems) -> None:
    lines = [one.line for one in raw.fields]
    _check_once([one.name for one in fields], lines, "fields", "name", problems)
    _check_once([one.code for one in raw.rules], [one.line for one in raw.rules], "rules", "code", problems)
    _check_once(list(raw.keys), [raw.lines.get("keys", 0)] * len(raw.keys), "keys", "", problems)
    known = [one.name for one in fields]
    for key in raw.keys:
        if known and key not in known:
            problems.add(
                raw.lines.get("keys", 0), "keys", zh="信息项的 name", en="the name of a field", found=key,
                **did_you_mean(key, known),
            )  # fmt: skip


def _check_once(words: list[str], lines: list[int], list_name: str, key: str, problems: Problems) -> None:
    seen: Counter[str] = Counter()
    for index, (word, line) in enumerate(zip(words, lines, strict=True)):
        seen[word] += 1
        if word and seen[word] == 2:
            at = f"{list_name}[{index}].{key}".rstrip(".")
            problems.add(line, at, zh="不重复的名称", en="a name written once", found=word)


def _rules(raw: RawContract, fields: tuple[ContractField, ...], problems: Problems) -> tuple[ContractRule, ...]:
    types = {one.name: one.type for one in fields if one.name}
    return tuple(_rule(one, i, types, problems) for i, one in enumerate(raw.rules))


def _rule(raw: RawRule, index: int, types: Mapping[str, str], problems: Problems) -> ContractRule:
    at = f"rules[{index}]"
    if raw.kind not in RULE_ARGUMENTS:
        problems.add(
            raw.line, f"{at}.kind", zh="已有的规则类型", en="a known kind of rule", found=raw.kind,
            **did_you_mean(raw.kind, RULE_ARGUMENTS),
        )  # fmt: skip
    columns = raw.columns
    if raw.kind == "expression":
        columns = _expression_columns(raw, at, types, problems) or columns
    elif not columns:
        problems.add(raw.line, f"{at}.columns", zh="至少一个信息项的 name", en="the name of a field", found="")
    _check_columns(raw, at, types, problems)
    _check_arguments(raw, at, problems)
    return ContractRule(
        code=raw.code, kind=raw.kind, where=raw.where, columns=columns, severity=raw.severity,  # type: ignore[arg-type]
        dimension=raw.dimension, title=raw.title, arguments=raw.arguments,
    )  # fmt: skip


def _expression_columns(raw: RawRule, at: str, types: Mapping[str, str], problems: Problems) -> tuple[str, ...]:
    if not raw.where:
        return ()
    try:
        return parse_expression(raw.where, types).fields
    except ExpressionRefused as error:
        problems.add(
            raw.line, f"{at}.where", zh="可以计算的条件", en="a condition that can be computed", found=raw.where,
            next_zh=error.say("zh"), next_en=error.say("en"),
        )  # fmt: skip
        return ()


def _check_columns(raw: RawRule, at: str, types: Mapping[str, str], problems: Problems) -> None:
    for column in raw.columns:
        if column not in types:
            problems.add(
                raw.line, f"{at}.columns", zh="信息项的 name", en="the name of a field", found=column,
                **did_you_mean(column, types),
            )  # fmt: skip


def _check_arguments(raw: RawRule, at: str, problems: Problems) -> None:
    allowed = RULE_ARGUMENTS.get(raw.kind)
    if allowed is None:
        return
    for name in raw.arguments:
        if name not in allowed:
            problems.add(raw.line, f"{at}.arguments.{name}", zh="该规则的参数", en="an argument of this kind", found=name,
                         **did_you_mean(name, sorted(allowed) or ["where"]))  # fmt: skip
    if raw.kind in NEEDS_ARGUMENTS and not raw.arguments:
        words, words_en = "、".join(sorted(allowed)), ", ".join(sorted(allowed))
        problems.add(raw.line, f"{at}.arguments", zh=f"参数 {words}", en=f"the arguments {words_en}", found="")


def _check_sharing(contract: Contract, problems: Problems) -> None:
    for index, one in enumerate(contract.fields):
        line = contract.lines.get(f"fields[{index}]", 0)
        if contract.sharing == "refused" and one.sharing != "refused":
            problems.add(line, f"fields[{index}].sharing", zh="不予共享资源的信息项也不予共享",
                         en="refused, as the whole resource is", found=one.sharing)  # fmt: skip
        if one.sharing != "unconditional" and not (one.sharing_basis or contract.sharing_basis):
            _ask_basis(problems, line, f"fields[{index}].sharing_basis", one.sharing)
        if one.opening == "open" and (one.personal or one.grade > OPEN_GRADE):
            problems.add(line, f"fields[{index}].opening", zh="个人信息和三级以上数据不得无条件开放",
                         en="closed or conditional for personal data and grades 3 and 4", found="open")  # fmt: skip
    if contract.sharing != "unconditional" and not contract.sharing_basis:
        _ask_basis(problems, contract.lines.get("sharing", 0), "sharing_basis", contract.sharing)


def _ask_basis(problems: Problems, line: int, field: str, sharing: str) -> None:
    # 国发〔2016〕51号: every condition and every refusal names the law or State Council policy it rests on.
    problems.add(
        line, field, zh=f"{SHARINGS[sharing]['zh']}的法律法规或政策依据", en="the law or policy that it rests on", found="",
        next_zh="共享是原则，不共享或附条件须写明依据。", next_en="Sharing is the rule; a condition or refusal names its basis.",
    )  # fmt: skip


def check_metadata(contract: Contract, problems: Problems) -> None:
    """Add what the national core metadata miss before an entry may go to review.

    Source: catalogue compilation guide 2017, core metadata; PIPL article 34 for the legal basis.
    """
    wanted: Iterable[tuple[str, bool, str, str]] = (
        ("summary", not contract.summary, "摘要：内容、范围和时间", "a summary: content, scope and time span"),
        ("source.connector", not contract.source.connector, "数据源类型，如 csv", "the kind of source, e.g. csv"),
        ("source.location", not contract.source.location, "数据源位置", "where the source is"),
        ("legal_basis", contract.personal and not contract.legal_basis, "收集个人信息的法定职责依据",
         "the statutory duty for which personal data are held"),
        ("opening_basis", contract.opening == "conditional" and not contract.opening_basis, "有条件开放的条件",
         "the conditions of opening"),
    )  # fmt: skip
    for field, is_missing, zh, en in wanted:
        if is_missing:
            line = contract.lines.get(field.split(".")[0], 0)
            problems.add(line, field, zh=zh, en=en, found="", next_zh="请补充后再提交审核。", next_en="Add it, then submit.")
