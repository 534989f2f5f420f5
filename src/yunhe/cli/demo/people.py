"""The persons, enterprises and marriages of the demonstration city: pure functions of seed and index.

Nobody is meant: the city's division codes (3299xx) are given to no place, so no citizen id or credit code
made here was ever issued; mobile numbers use a segment (154) that no operator hands out.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from yunhe.cli.demo.names import (
    FEMALE_CHARACTERS,
    FIRM_CHARACTERS,
    FORMS,
    MALE_CHARACTERS,
    STREETS,
    SURNAMES,
    TRADES,
)
from yunhe.kernel.check_digits import (
    ALPHABET_36,
    CITIZEN_CHECKS,
    CITIZEN_WEIGHTS,
    ORGANIZATION_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
)

CITY = "示范市"
DISTRICTS = (("329901", "城东区"), ("329902", "城西区"), ("329903", "河口区"), ("329904", "湖滨县"))
FIRST_BIRTHDAY = date(1935, 1, 1)
LAST_BIRTHDAY = date(2023, 12, 31)
BIRTHDAYS = (LAST_BIRTHDAY - FIRST_BIRTHDAY).days + 1
# Steps without a common divisor with what they walk over, so that every value is met before one repeats.
BIRTHDAY_STEP = 12289
FIRM_STEP = 486187739
FIRM_SERIALS = 31**6
MOST_PEOPLE = BIRTHDAYS * len(DISTRICTS) * 490
DAY_OF_THE_SOURCE = datetime(2024, 6, 30, 18, 0)  # noqa: DTZ001  local time, as department databases write it
MALE, FEMALE = "1", "2"  # GB/T 2261.1-2003
# Civil Code, article 1047.
MARRIAGE_AGE = {MALE: 22, FEMALE: 20}

assert math.gcd(BIRTHDAY_STEP, BIRTHDAYS) == 1 and math.gcd(FIRM_STEP, FIRM_SERIALS) == 1


@dataclass(frozen=True, slots=True)
class Person:
    citizen_id: str
    name: str
    gender: str
    birth_date: date
    region: str
    address: str
    mobile: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Enterprise:
    uscc: str
    name: str
    form: str
    legal_person: str
    capital: str
    registered_on: date
    region: str
    status: str


@dataclass(frozen=True, slots=True)
class Marriage:
    number: str
    husband_id: str
    husband_name: str
    wife_id: str
    wife_name: str
    registered_on: date
    region: str


def person_at(*, seed: int, index: int) -> Person:
    """Return the person of this index; all ids below MOST_PEOPLE differ.

    The index fixes district, birthday and serial number, chance (of seed and index) the rest.
    """
    dice = random.Random(seed * 1_000_003 + index)
    rest, district = divmod(index, len(DISTRICTS))
    pair, day = divmod(rest, BIRTHDAYS)
    born = FIRST_BIRTHDAY + timedelta(days=(day * BIRTHDAY_STEP + seed) % BIRTHDAYS)
    gender = dice.choice((MALE, FEMALE))
    region, place = DISTRICTS[district]
    serial = 10 + 2 * pair + (1 if gender == MALE else 0)
    return Person(
        citizen_id=citizen_id(region=region, born=born, serial=serial),
        name=_person_name(dice, gender),
        gender=gender,
        birth_date=born,
        region=region,
        address=f"{CITY}{place}{dice.choice(STREETS)}{dice.randint(1, 300)}号{dice.randint(1, 30)}幢{dice.randint(101, 1806)}室",
        mobile=f"154{dice.randrange(10**8):08d}",
        updated_at=DAY_OF_THE_SOURCE - timedelta(seconds=dice.randrange(3 * 365 * 86400)),
    )


def citizen_id(*, region: str, born: date, serial: int) -> str:
    """Return a citizen id with its check character. Source: GB 11643-1999."""
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, CITIZEN_WEIGHTS, strict=True))
    return body + CITIZEN_CHECKS[total % 11]


def enterprise_at(*, seed: int, index: int, people: int) -> Enterprise:
    """Return the enterprise of this index; its legal representative is one of the people."""
    dice = random.Random(seed * 1_000_033 + index)
    region, _ = dice.choice(DISTRICTS)
    trade = dice.choice(TRADES)
    form = dice.choices(FORMS, (80, 6, 9, 5))[0]
    tail = {"有限责任公司": "有限公司", "股份有限公司": "股份有限公司"}.get(form, "中心")
    return Enterprise(
        uscc=uscc(authority="91", region=region, body="MA" + _base_31((index * FIRM_STEP + seed) % FIRM_SERIALS)),
        name=f"{CITY}{''.join(dice.sample(FIRM_CHARACTERS, 2))}{trade}{tail}",
        form=form,
        legal_person=person_at(seed=seed, index=dice.randrange(people)).name,
        capital=f"{dice.choice((10, 50, 100, 200, 500, 1000, 5000))}.{dice.choice(('00', '00', '50'))}",
        registered_on=date(1994, 1, 1) + timedelta(days=dice.randrange(30 * 365)),
        region=region,
        status=dice.choices(("存续", "注销", "吊销"), (88, 9, 3))[0],
    )


def uscc(*, authority: str, region: str, body: str) -> str:
    """Return a unified social credit code around an 8-character body, with both check characters.

    Source: GB 32100-2015 and, for the organisation code inside, GB 11714-1997.
    """
    inner = sum(ALPHABET_36.index(c) * weight for c, weight in zip(body, ORGANIZATION_WEIGHTS, strict=True))
    digit = 11 - inner % 11
    code = authority + region + body + {10: "X", 11: "0"}.get(digit, str(digit))
    total = sum(USCC_ALPHABET.index(c) * weight for c, weight in zip(code, USCC_WEIGHTS, strict=True))
    return code + USCC_ALPHABET[-total % 31]


def marriage_at(*, seed: int, index: int, people: int) -> Marriage:
    """Return the marriage of this index, between two of the people who are old enough."""
    dice = random.Random(seed * 1_000_037 + index)
    husband, wife = _adult(dice, seed, people, MALE), _adult(dice, seed, people, FEMALE)
    earliest = max(_of_age(husband), _of_age(wife))
    on = earliest + timedelta(days=dice.randrange((date(2024, 6, 28) - earliest).days))
    region, _ = dice.choice(DISTRICTS)
    return Marriage(
        number=f"J{region}-{on.year}-{index + 1:07d}",
        husband_id=husband.citizen_id,
        husband_name=husband.name,
        wife_id=wife.citizen_id,
        wife_name=wife.name,
        registered_on=on,
        region=region,
    )


def _adult(dice: random.Random, seed: int, people: int, gender: str) -> Person:
    while True:
        person = person_at(seed=seed, index=dice.randrange(people))
        if person.gender == gender and person.birth_date.year <= 2000:
            return person


def _of_age(person: Person) -> date:
    return date(person.birth_date.year + MARRIAGE_AGE[person.gender], person.birth_date.month, 1) + timedelta(days=31)


def _person_name(dice: random.Random, gender: str) -> str:
    characters = MALE_CHARACTERS if gender == MALE else FEMALE_CHARACTERS
    given = "".join(dice.choices(characters, k=1 if dice.random() < 0.15 else 2))
    return dice.choices(SURNAMES, cum_weights=_surname_weights())[0] + given


@cache
def _surname_weights() -> tuple[float, ...]:
    total, weights = 0.0, []
    for rank in range(1, len(SURNAMES) + 1):
        total += 1 / (rank + 4)
        weights.append(total)
    return tuple(weights)


def _base_31(number: int) -> str:
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 31)
        text = USCC_ALPHABET[digit] + text
    return text
