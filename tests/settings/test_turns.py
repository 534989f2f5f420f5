"""Writers of one process take turns: first come, first served; who waits in vain is told so and holds nobody up."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from yunhe.settings.sqlite.base import DatabaseWrapper
from yunhe.settings.sqlite.turns import Turns


def started(work: Any) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_for(turns: Turns, count: int) -> None:
    while len(turns._waiting) < count:
        time.sleep(0.001)


def test_who_asks_first_is_served_first() -> None:
    turns, served = Turns(), list[int]()

    def take(number: int) -> None:
        assert turns.take(30)
        served.append(number)
        turns.give()

    assert turns.take(0)
    threads = []
    for number in range(20):
        threads.append(started(lambda number=number: take(number)))
        wait_for(turns, number + 1)
    turns.give()
    for thread in threads:
        thread.join()
    assert served == list(range(20))
    assert turns.take(0)  # nobody has it any more


def test_who_has_just_had_it_comes_after_those_who_wait() -> None:
    turns, served = Turns(), list[str]()

    def other() -> None:
        assert turns.take(30)
        served.append("other")
        turns.give()

    assert turns.take(0)
    thread = started(other)
    wait_for(turns, 1)
    turns.give()
    assert turns.take(30)
    served.append("again")
    turns.give()
    thread.join()
    assert served == ["other", "again"]


def test_a_wait_in_vain_ends_and_leaves_nothing_behind() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    assert not turns._waiting
    turns.give()
    assert turns.take(0)


def connection_of(file: Path, seconds: float) -> DatabaseWrapper:
    options = {"transaction_mode": "IMMEDIATE", "timeout": seconds}
    settings = {"NAME": str(file), "OPTIONS": options, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True}
    return DatabaseWrapper({**settings, "USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}, alias="turns")


def add_one(connection: DatabaseWrapper) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        with connection.cursor() as cursor:
            (found,) = cursor.execute("SELECT n FROM counted").fetchone()
            time.sleep(0.01)
            cursor.execute("UPDATE counted SET n = %s", [found + 1])
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.set_autocommit(True)


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    connection = connection_of(tmp_path / "counted.sqlite3", 1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (n INTEGER)")
        cursor.execute("INSERT INTO counted VALUES (0)")
    connection.close()
    return tmp_path / "counted.sqlite3"


@pytest.mark.django_db
def test_many_writers_lose_nothing_and_none_of_them_gives_up(counted: Path) -> None:
    """Each waits for those before it; the patience of SQLite alone (0.2 s) is less than what 16 writers take."""
    failed, patience = list[OperationalError](), 20

    def write() -> None:
        connection = connection_of(counted, 0.2)
        connection.ensure_connection()
        connection.settings_dict["OPTIONS"]["timeout"] = patience
        try:
            for _ in range(4):
                add_one(connection)
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [started(write) for _ in range(16)]
    for thread in threads:
        thread.join()
    assert failed == []
    reader = connection_of(counted, 1)
    with reader.cursor() as cursor:
        assert cursor.execute("SELECT n FROM counted").fetchone() == (64,)
    reader.close()


@pytest.mark.django_db
def test_who_finds_no_turn_waits_as_sqlite_does_and_hands_on_what_it_had(counted: Path) -> None:
    first, second = connection_of(counted, 0.05), connection_of(counted, 0.05)
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with pytest.raises(OperationalError, match="locked"):
        add_one(second)
    first.close()
    add_one(second)
    second.close()
