"""Which element a column may be: by its name, its title, and what a sample of its values says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from yunhe.data.standards.rules.generate import code_set_key, rules_of
from yunhe.data.standards.types import Element, ElementProposal, Reason, RuleSpec
from yunhe.engine.types import ColumnProfile
from yunhe.kernel.check_digits import check_citizen_id, check_licence_id, check_organization_code, check_uscc

LEAST = 0.4
MOST = 0.99
SAMPLE_GOOD, SAMPLE_BAD = 0.9, 0.5
# An identifier with a check character is recognised by its values alone: chance passes 1 in 10 or less.
TELLTALE = frozenset({"citizen_id", "uscc", "licence_id"})
TELLTALE_LEAST = 3
# Which counted form of a column profile speaks for which kind of rule or element.
FORMS = {"citizen_id": "id18", "uscc": "uscc18", "mobile": "mobile11"}
BRACKETS = re.compile(r"[（(\[【][^）)\]】]*[）)\]】]")
NOISE = re.compile(r"[\s_\-./:：、*]+")

Signal = tuple[float, Reason]
Accepted = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a column's values: some of them, or counts over a sample. `accepted`: code-set key to values."""

    values: tuple[str, ...]
    profile: ColumnProfile | None
    accepted: Accepted
    on: date

    @property
    def count(self) -> int:
        """Return how many non-empty values speak."""
        return self.profile.filled if self.profile and not self.values else len(self.values)


def rank_elements(
    *, name: str, title: str, elements: Iterable[Element], evidence: Evidence
) -> tuple[ElementProposal, ...]:
    """Return the elements that the column may be, best first; no reason holds a value of the sample.

    The order is total: confidence, then code.
    """
    found = (_weigh(element, name, title, evidence) for element in elements)
    return tuple(sorted(filter(None, found), key=lambda one: (-one.confidence, one.element.code)))


def _weigh(element: Element, name: str, title: str, evidence: Evidence) -> ElementProposal | None:
    signals = sorted(_word_signals(element, (name, title)), key=lambda one: -one[0])
    confidence = signals[0][0] if signals else 0.0
    reasons = [signals[0][1]] if signals else []
    if len(signals) > 1:
        confidence = min(confidence + 0.03, MOST)
        reasons.append(signals[1][1])
    if evidence.count:
        confidence, said = _with_evidence(element, confidence, evidence)
        reasons += said
    if confidence < LEAST:
        return None
    return ElementProposal(element, round(min(confidence, MOST), 3), tuple(dict.fromkeys(reasons)))


def _word_signals(element: Element, words: Iterable[str]) -> list[Signal]:
    best: dict[str, Signal] = {}
    for word in dict.fromkeys(words):
        for signal in (_by_name(element, word), _by_title(element, word)):
            if signal and signal[0] > best.get(word, (0.0, None))[0]:
                best[word] = signal
    return list(best.values())


def _by_name(element: Element, word: str) -> Signal | None:
    plain = fold(word)
    if not plain:
        return None
    if plain == fold(element.code):
        return 0.97, Reason("code", f"列名就是数据元代码“{element.code}”", f'the column is named "{element.code}"')
    for column in element.columns:
        if plain == fold(column):
            return 0.9, Reason("column", f"列名是常用列名“{column}”", f'"{column}" is a usual column name')
    tail = word.lower().replace("-", "_").rsplit("_", 1)[-1]
    if "_" in word and len(tail) > 1 and tail in element.columns:
        return 0.75, Reason("part", f"列名以常用列名“{tail}”结尾", f'the name ends with the usual "{tail}"')
    return None


def _by_title(element: Element, word: str) -> Signal | None:
    plain = fold(BRACKETS.sub("", word)) or fold(word)
    if not plain:
        return None
    if plain == fold(element.title):
        return 0.95, Reason("title", f"名称与数据元“{element.title}”相同", f'the title is that of "{element.title_en}"')
    names = [alias for alias in (element.title, *element.aliases) if len(fold(alias)) > 1]
    for alias in names:
        if plain == fold(alias):
            return 0.9, Reason("alias", f"名称是同义名称“{alias}”", f'"{alias}" is another name of it')
    inside = [alias for alias in names if fold(alias) in plain]
    if not inside:
        return None
    alias = max(inside, key=len)
    cover = len(fold(alias)) / len(plain)
    base = 0.6 if plain.endswith(fold(alias)) else 0.4
    return base + 0.25 * cover, Reason("part", f"名称里有“{alias}”", f'the title contains "{alias}"')


def fold(text: str) -> str:
    """Return the word as it is compared: NFKC, lower case, without spaces and joining marks."""
    return NOISE.sub("", unicodedata.normalize("NFKC", text)).lower()


def _with_evidence(element: Element, confidence: float, evidence: Evidence) -> tuple[float, list[Reason]]:
    share = fitting_share(element, evidence)
    if share is None:
        return confidence, []
    percent, count = f"{share:.0%}", evidence.count
    telling = any(rule.kind in TELLTALE for rule in element.rules)
    if share >= SAMPLE_GOOD and confidence:
        said = Reason("sample", f"{count} 个样值有 {percent} 符合", f"{percent} of {count} samples fit")
        return confidence + (MOST - confidence) * 0.5, [said]
    if not confidence and telling and share >= 0.8 and count >= TELLTALE_LEAST:
        return 0.7, [Reason("sample", f"样值有 {percent} 符合其格式", f"{percent} of the samples have its form")]
    if share < SAMPLE_BAD and confidence:
        said = Reason("sample", f"样值只有 {percent} 符合", f"only {percent} of the samples fit")
        return confidence * 0.35, [said]
    return confidence, []


def fitting_share(element: Element, evidence: Evidence) -> float | None:
    """Return the share of the sample that the element allows; None where the sample cannot tell."""
    if evidence.values:
        return sample_share(element, evidence.values, evidence.accepted, evidence.on)
    if evidence.profile is None or not evidence.profile.filled:
        return None
    return _profile_share(element, evidence.profile, evidence.accepted)


def _profile_share(element: Element, profile: ColumnProfile, accepted: Accepted) -> float | None:
    filled = profile.filled
    if element.type != "string":
        return profile.fits.get(element.type, 0) / filled
    forms = [FORMS[rule.kind] for rule in element.rules if rule.kind in FORMS]
    if element.code in FORMS:
        forms.append(FORMS[element.code])
    if forms:
        return profile.forms.get(forms[0], 0) / filled
    values = accepted.get(code_set_key(element), frozenset()) if element.code_set else frozenset()
    if not values:
        return None
    if not min(map(len, values)) <= profile.shortest <= profile.longest <= max(map(len, values)):
        return 0.0
    digits = profile.forms.get("digits", 0) / filled
    return digits if all(value.isdigit() for value in values) else 1 - digits


def sample_share(element: Element, values: Sequence[str], accepted: Accepted, on: date) -> float | None:
    """Return the share of the values that the element's type and rules allow; None if they allow all."""
    tests: list[Callable[[str], bool]] = []
    if element.type != "string":
        tests.append(lambda value: _fits(element.type, value))
    for rule in rules_of(element):
        test = _test_of(rule, accepted, on)
        if test is not None:
            tests.append(test)
    if not tests:
        return None
    return sum(all(test(value) for test in tests) for value in values) / len(values)


def _test_of(rule: RuleSpec, accepted: Accepted, on: date) -> Callable[[str], bool] | None:
    arguments = rule.arguments
    if rule.kind == "pattern":
        pattern = re.compile(str(arguments["pattern"]))
        return lambda value: pattern.fullmatch(value) is not None
    if rule.kind == "in_code_set":
        values = accepted.get(str(arguments["code_set"]), frozenset())
        return lambda value: value in values
    if rule.kind == "range":
        low, high = float(str(arguments.get("min", "-inf"))), float(str(arguments.get("max", "inf")))
        return lambda value: _fits("decimal", value) and low <= float(value) <= high
    return {
        "citizen_id": lambda value: check_citizen_id(value, on=on).ok,
        "uscc": lambda value: check_uscc(value).ok,
        "organization_code": lambda value: check_organization_code(value).ok,
        "licence_id": lambda value: check_licence_id(value).ok,
    }.get(rule.kind)


def _fits(kind: str, value: str) -> bool:
    try:
        if kind in ("date", "timestamp"):
            datetime.fromisoformat(value.replace("/", "-"))
        elif kind == "integer":
            int(value)
        elif kind == "decimal":
            return Decimal(value).is_finite()
        elif kind == "boolean":
            return value.lower() in {"true", "false", "0", "1", "是", "否", "y", "n"}
    except (ValueError, InvalidOperation):
        return False
    return True
