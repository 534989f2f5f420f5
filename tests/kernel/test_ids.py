"""Ids: unique, rising, also across forks."""

from __future__ import annotations

import os
import threading
import time

import pytest

from yunhe.kernel.ids import is_id, new_id

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _number(text: str) -> int:
    value = 0
    for letter in text:
        value = value * 32 + CROCKFORD.index(letter)
    return value


def test_each_id_sorts_after_the_one_before() -> None:
    made = [new_id() for _ in range(5000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(is_id(text) and len(text) == 26 for text in made)


def test_the_first_ten_letters_are_the_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= _number(made) >> 80 <= after


def test_threads_never_share_an_id() -> None:
    made: list[str] = []

    def make() -> None:
        made.extend([new_id() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8000


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_its_own_way() -> None:
    new_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(writer, "".join(new_id() for _ in range(200)).encode())
        os._exit(0)
    ours = {new_id() for _ in range(200)}
    os.close(writer)
    text = b""
    while part := os.read(reader, 65536):
        text += part
    os.close(reader)
    os.waitpid(child, 0)
    theirs = {text[at : at + 26].decode() for at in range(0, len(text), 26)}

    assert len(theirs) == 200
    assert not ours & theirs


@pytest.mark.parametrize(
    "text",
    ["", "01M80VTZ8SWY9N30BXSGZT4W8", "01M80VTZ8SWY9N30BXSGZT4W8M0", "81M80VTZ8SWY9N30BXSGZT4W8M",
     "01m80vtz8swy9n30bxsgzt4w8m", "01M80VTZ8SWY9N30BXSGZT4W8I", "０1M80VTZ8SWY9N30BXSGZT4W8M", None, 7],
)  # fmt: skip
def test_other_texts_are_no_ids(text: object) -> None:
    assert not is_id(text)
