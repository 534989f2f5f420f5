"""Strike at database statements of a story: kill the process, cut its connection, fill its disk. Run by test_kill_the_cases.py.

Arguments: how many strikes in all (0: every statement, before and after), the seed. Prints what was struck and what
was found wrong. Every strike is a forked process on a copy of the database as it was before the step.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.urls import reverse  # noqa: E402

from tests.faults import copies, judge, story, world  # noqa: E402
from yunhe.core.cases import api as cases  # noqa: E402
from yunhe.core.cases.api import store  # noqa: E402
from yunhe.kernel.clock import frozen  # noqa: E402

MODES = {"sqlite": ("before", "after", "full"), "postgresql": ("before", "after", "cut")}
DIES = ("before", "after")


class Striker:
    """Counts the statements of a process and strikes at one of them."""

    def __init__(self, at: int = 0, how: str = "") -> None:
        self.at, self.how, self.seen = at, how, 0

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        return self.around(lambda: execute(sql, params, many, context))

    def around(self, work: Callable[[], Any]) -> Any:
        self.seen += 1
        if self.seen != self.at:
            return work()
        if self.how == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "cut":
            copies.cut(connection)
        if self.how == "full":
            copies.fill_up(connection)
        done = work()
        if self.how == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done


@contextmanager
def counted(striker: Striker) -> Iterator[None]:
    """Have the striker see every statement, and each COMMIT, which Django sends without one."""
    commit = connection._commit
    connection._commit = lambda: striker.around(commit)
    try:
        with connection.execute_wrapper(striker):
            yield
    finally:
        connection._commit = commit


def in_fork(database: str, work: Callable[[], Any]) -> tuple[int, Any]:
    """Run in a process of its own on that database; return how it ended (a signal's number or 0) and what it said."""
    connections.close_all()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        connection.settings_dict["NAME"] = database
        try:
            said = work()
        except BaseException:  # noqa: BLE001  a fork must not go on with its parent's stack
            said = {"broken": traceback.format_exc()}
        connections.close_all()
        with os.fdopen(writer, "w") as pipe:
            json.dump(said, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, json.loads(text) if text else None


class Play:
    """The story on its way: `base` is the database before the step that is struck."""

    def __init__(self, home: Path) -> None:
        self.home, self.steps = home, story.steps()
        self.world, self.databases = world.World(*[None] * 3), copies.Copies()  # type: ignore[arg-type]

    def run(self, at: int, striker: Striker) -> None:
        """Take one step, counted."""
        with frozen(world.A_MONDAY) as clock:
            story.move(clock, self.steps, at)
            with counted(striker):
                self.steps[at].run(self.world)

    def clean(self, at: int) -> dict[str, Any]:
        """Take one step undisturbed; return how many statements it had, and what is then."""
        striker = Striker()
        self.run(at, striker)
        return {"statements": striker.seen, "state": judge.state(), "laws": judge.laws()}

    def survive(self, at: int, how: str, statement: int) -> dict[str, Any]:
        """Take a step whose statement fails; whoever fails goes on with a connection of their own."""
        said = ""
        try:
            self.run(at, Striker(statement, how))
        except Exception as error:  # noqa: BLE001  which one is told
            said = type(error).__name__
        connections.close_all()
        return {"raised": said, **self.restart(at)}

    def restart(self, at: int) -> dict[str, Any]:
        """Judge what is there, ask for the step again where it did not happen, and judge that."""
        found, broken = judge.state(), judge.laws()
        again = found == self.before or not self.steps[at].whole
        if again:
            self.run(at, Striker())
        return {"found": found, "laws": broken, "again": again, "end": judge.state(), "end_laws": judge.laws() + self.post()}

    def post(self) -> list[str]:
        return judge.letters(self.world.post)

    before: Any = None


def wrong(play: Play, at: int, code: int, told: Any, after: Any, how: str) -> list[str]:
    """Return what a strike broke."""
    if how in DIES and code != signal.SIGKILL:
        return [f"it was to be killed and ended with {code}: {told}"]
    return _judged(told, play, at, after)


def _judged(told: Any, play: Play, at: int, after: Any) -> list[str]:
    if told is None or "broken" in told:
        return [f"the restart broke: {told}"]
    found = [*told["laws"], *told["end_laws"]]
    if play.steps[at].whole and told["found"] not in (play.before, after):
        found.append(f"half a step: {judge.difference(play.before, told['found'])}")
    if told["end"] != after:
        found.append(f"asked again it ends elsewhere: {judge.difference(after, told['end'])}")
    return found


def play_all(strikes: int, seed: int) -> dict[str, Any]:
    """Play the story and strike at its steps on the way, then some steps with a defect planted; return what came of it."""
    dice, play = random.Random(seed), prepared()
    play.databases.make("start")
    every = range(len(play.steps))
    struck = every if not strikes else sorted(dice.sample(every, min(strikes, len(every))))
    report = play_struck(play, struck, lambda size: targets(size, dice, 0 if not strikes else 1))
    plant()
    planted = play_struck(play, (3, 6), lambda size: targets(size, dice, 5))
    play.databases.drop("start", "walk", "before", "struck")
    return {**report, "planted": planted["wrong"]}


def play_struck(play: Play, struck: Iterable[int], aim: Callable[[int], list[tuple[int, str]]]) -> dict[str, Any]:
    """Play from the start up to the last step that is to be struck."""
    report: dict[str, Any] = {"statements": 0, "strikes": 0, "again": 0, "modes": Counter(), "wrong": [], "raised": Counter()}
    play.databases.make("walk", "start")
    walk, done = play.databases.name("walk"), 0
    for at in struck:
        _, said = in_fork(walk, lambda first=done, at=at: [play.run(step, Striker()) for step in range(first, at)] and None)
        assert not said, said
        play.databases.make("before", "walk")
        _, play.before = in_fork(walk, judge.state)
        code, told = in_fork(walk, lambda at=at: play.clean(at))
        assert code == 0 and "broken" not in told and not told["laws"], (play.steps[at].name, told)
        report["statements"] += told["statements"]
        strike_step(play, at, told, aim(told["statements"]), report)
        done = at + 1
    return report


def prepared() -> Play:
    """Return the play on a new node."""
    home = Path(settings.HOME)
    copies.forget_power_cuts()
    call_command("migrate", verbosity=0)
    world.fill_slots(home)
    play = Play(home)
    with frozen(world.A_MONDAY):
        play.world = world.make_world(home)
        warm_up()
    return play


def plant() -> None:
    """Plant a defect: the case's row is committed before the rest of its step."""
    whole = store.write_case

    def write_case(row: Any, course: Any) -> None:
        whole(row, course)
        connection.connection.commit()

    store.write_case = write_case


def warm_up() -> None:
    """Do load here what every fork would load anew: kinds and the table of addresses."""
    cases.list_kinds()
    reverse("cases:inbox")
    gc.freeze()


def targets(size: int, dice: random.Random, count: int) -> list[tuple[int, str]]:
    """Return which statements of a step are struck how: `count` of them, or every one in every way."""
    everything = [(n, how) for n in range(1, size + 1) for how in MODES[connection.vendor]]
    return dice.sample(everything, count) if count else everything


def strike_step(play: Play, at: int, clean: Any, aims: list[tuple[int, str]], report: dict[str, Any]) -> None:
    for statement, how in aims:
        play.databases.make("struck", "before")
        play.world.post.unlink(missing_ok=True)
        told = strike(play, at, statement, how, clean["state"])
        report["strikes"] += 1
        report["modes"][how] += 1
        report["again"] += bool(told["again"])
        report["raised"][told["raised"]] += 1
        report["wrong"] += [f"{play.steps[at].name}, statement {statement}, {how}: {line}" for line in told["wrong"]]


def strike(play: Play, at: int, statement: int, how: str, after: Any) -> dict[str, Any]:
    name, code = play.databases.name("struck"), 0
    if how in DIES:
        code, told = in_fork(name, lambda: play.run(at, Striker(statement, how)))
        if code == signal.SIGKILL:
            _, told = in_fork(name, lambda: play.restart(at))
    else:
        _, told = in_fork(name, lambda: play.survive(at, how, statement))
    found = wrong(play, at, code, told, after, how)
    return {"wrong": found, "again": (told or {}).get("again"), "raised": (told or {}).get("raised", "")}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play_all(int(sys.argv[1]), int(sys.argv[2]))))
