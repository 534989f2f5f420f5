"""The real web server: killed in the middle of an upload, and met by two pieces at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.attachments import samples
from tests.core.attachments.server import Caller, Server
from tests.databases import fresh_database

PIECE = 1 << 16
BYTES = {"Content-Type": "application/offset+octet-stream"}


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)]


@pytest.fixture(scope="module", params=BOTH)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of this module; each begins uploads of its own."""
    yield from server_on(request.param, tmp_path_factory.mktemp("server") / "node")


@pytest.fixture(params=BOTH)
def small_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server with nothing in it and room for three megabytes."""
    yield from server_on(request.param, tmp_path / "node", YUNHE_ATTACHMENT_QUOTA_MB="3")


def server_on(database: str, home: Path, **more: str) -> Iterator[Server]:
    if database == "sqlite":
        yield from running(Server(home, **more))
        return
    with fresh_database("attachments") as address:
        yield from running(Server(home, address, **more))


def running(made: Server) -> Iterator[Server]:
    made.start()
    try:
        yield made
    finally:
        made.strike()


@pytest.mark.fault
@pytest.mark.timeout(1800)
def test_killed_in_the_middle_the_upload_goes_on_where_it_was_synced(
    server: Server, fault_count: Callable[[int, int], int], soak_seed: int
) -> None:
    dice = random.Random(soak_seed)
    content = samples.pdf(dice.randbytes(20 << 20))
    caller = Caller(server)
    place, told, strikes = caller.begin("大文件.pdf", len(content)), 0, 0
    for _ in range(fault_count(3, 60)):
        strikes += send_and_strike(caller, place, content, told, dice)
        server.start()
        before, told = told, caller.offset(place)
        assert before <= told <= len(content)
        assert stored(server, place).read_bytes()[:told] == content[:told]
        if told == len(content):  # and perhaps struck while it was judged
            go_on(caller, place, content, told)
            place, told = caller.begin("下一份.pdf", len(content)), 0
    assert strikes
    go_on(caller, place, content, told)


def stored(server: Server, place: str) -> Path:
    (path,) = server.home.glob(f"attachments/??/{place.split('/')[-2]}")
    return path


def go_on(caller: Caller, place: str, content: bytes, offset: int) -> None:
    """Send what is left and see the file come back whole."""
    answer = caller.call("PATCH", place, BYTES | {"Upload-Offset": str(offset)}, content[offset:])
    assert (answer.status, answer.headers["Upload-State"]) == (204, "ready")
    assert caller.call("GET", place.replace("/uploads", "")).headers["Content-Length"] == str(len(content))
    assert stored(caller.server, place).read_bytes() == content


def send_and_strike(caller: Caller, place: str, content: bytes, offset: int, dice: random.Random) -> int:
    """Send a part of what is left as one body, then kill the server; return 1 if the body was cut by it."""
    wanted = min(len(content), offset + dice.randrange(5 << 20, 9 << 20))
    line = caller.patch(place, offset, len(content) - offset)
    at = offset
    try:
        while at < wanted:
            line.send(content[at : at + PIECE])
            at += PIECE
        time.sleep(dice.uniform(0, 0.3))
    finally:
        caller.server.strike()
        line.close()
    return int(at < len(content))


def test_of_two_pieces_at_once_one_is_taken_and_one_is_told_to_wait(server: Server) -> None:
    caller = Caller(server)
    content = samples.pdf(bytes(200_000))
    place = caller.begin("a.pdf", len(content))
    first = caller.patch(place, 0, len(content))
    first.send(content[:100_000])
    path = stored(server, place)
    deadline = time.monotonic() + 20
    while not path.stat().st_size:  # until the first one holds the file
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = caller.call("PATCH", place, BYTES | {"Upload-Offset": "0"}, content[:1])
    assert second.status == 409
    first.send(content[100_000:])
    taken = first.getresponse()
    taken.read()
    first.close()
    assert (taken.status, taken.headers["Upload-State"]) == (204, "ready")
    assert path.read_bytes() == content


def test_a_client_that_leaves_in_the_middle_goes_on(server: Server) -> None:
    caller = Caller(server)
    content = samples.pdf(bytes(300_000))
    place = caller.begin("a.pdf", len(content))
    line = caller.patch(place, 0, len(content))
    line.send(content[:150_000])
    line.close()
    deadline = time.monotonic() + 20
    while not (told := caller.offset(place)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told <= 150_000
    assert caller.call("PATCH", place, BYTES | {"Upload-Offset": str(told)}, content[told:]).headers["Upload-State"] == "ready"


def test_a_crowd_of_pieces_writes_every_byte_once(server: Server) -> None:
    """Six threads send what they believe is next; each piece is taken from one of them."""
    caller = Caller(server)
    content = samples.pdf(random.Random(7).randbytes(60_000))
    place = caller.begin("a.pdf", len(content))
    taken: list[int] = []
    strange: list[int] = []

    def push() -> None:
        while (told := caller.offset(place)) < len(content):
            piece = content[told : told + 4096]
            answer = caller.call("PATCH", place, BYTES | {"Upload-Offset": str(told)}, piece)
            (taken if answer.status == 204 else strange).append(told if answer.status == 204 else answer.status)

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(0, len(content), 4096))
    assert set(strange) <= {409}
    assert stored(server, place).read_bytes() == content


def test_two_who_count_at_once_do_not_both_find_room(small_server: Server) -> None:
    caller = Caller(small_server)
    gate, said = threading.Barrier(6), list[int]()

    def begin() -> None:
        gate.wait()
        sent = {"Upload-Length": str(1 << 20), "Upload-Metadata": "filename YS5wZGY="}
        said.append(caller.call("POST", "/attachments/uploads/", sent).status)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [201, 201, 201, 409, 409, 409]
