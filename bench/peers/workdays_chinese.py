"""chinesecalendar's side of bench.workdays: walking day by day; runs in its own environment, without ours."""

from __future__ import annotations

import json
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from chinese_calendar import is_workday

FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)


def add_workdays(on: date, number: int) -> date:
    """Return the day on which the n-th workday after a day falls."""
    while number:
        on += timedelta(days=1)
        number -= is_workday(on)
    return on


def every_sum(most: int) -> dict[str, list[str]]:
    """Return for every day the 1st to `most`-th workday after it, as far as the calendar reaches."""
    works = [on for on in (FIRST + timedelta(days=step) for step in range((LAST - FIRST).days + 1)) if is_workday(on)]
    found, place = {}, 0
    for step in range((LAST - FIRST).days):
        on = FIRST + timedelta(days=step)
        while place < len(works) and works[place] <= on:
            place += 1
        found[on.isoformat()] = [day.isoformat() for day in works[place : place + most]]
    return found


def main() -> None:
    """Print what the measurement asks for."""
    if sys.argv[1] == "all":
        print(json.dumps({"days": every_sum(int(sys.argv[2]))}))
        return
    share = int(sys.argv[3])
    sums = [(date.fromisoformat(start), number) for start, number in json.loads(Path(sys.argv[2]).read_text())[::share]]
    begun = time.perf_counter()
    answers = [add_workdays(start, number).isoformat() for start, number in sums]
    print(json.dumps({"seconds": (time.perf_counter() - begun) * share, "answers": answers}))


if __name__ == "__main__":
    main()
