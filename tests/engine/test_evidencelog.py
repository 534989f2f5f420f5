"""Evidence segments: durable, in order, torn ends passed over, damage said out loud."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount, seed_of
from yunhe.engine import evidencelog
from yunhe.engine.evidencelog import (
    BadPosition,
    SegmentBroken,
    SegmentWriter,
    SpoolInUse,
    SpoolUnavailable,
    drop_segments,
    encode_line,
    list_segments,
    read_segments,
)


def _read(folder: Path, after: str = "") -> list[dict[str, object]]:
    return [item.record for item in read_segments(folder, after)]


def _fill(folder: Path, count: int, **options: int) -> None:
    writer = SegmentWriter(folder, **options)
    for number in range(count):
        writer.append({"n": number, "text": "存证"})
    writer.close()


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    _fill(tmp_path, 20)

    assert _read(tmp_path) == [{"n": number, "text": "存证"} for number in range(20)]


def test_a_record_can_be_read_the_moment_append_returns(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    for number in range(5):
        writer.append({"n": number})
        assert _read(tmp_path)[-1] == {"n": number}
    writer.close()


@settings(max_examples=amount(small=40, full=300), deadline=None)
@given(
    records=st.lists(
        st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.none(), max_size=4), max_size=12
    ),
    segment_bytes=st.integers(1, 400),
    data=st.data(),
)
def test_reading_goes_on_from_any_position_over_any_segments(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]], segment_bytes: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    writer = SegmentWriter(folder, segment_bytes=segment_bytes)
    for record in records:
        writer.append(record)
    writer.close()
    read = list(read_segments(folder))

    assert [item.record for item in read] == records
    assert [item.position for item in read] == sorted(
        {item.position for item in read}, key=lambda p: (p[:12], int(p[13:]))
    )
    if read:
        at = data.draw(st.integers(0, len(read) - 1))
        assert _read(folder, read[at].position) == records[at + 1 :]


def test_many_waiters_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncing, go_on = threading.Event(), threading.Event()
    sync = evidencelog._sync

    def slow(descriptor: int) -> None:
        syncing.set()
        go_on.wait(10)
        sync(descriptor)

    monkeypatch.setattr(evidencelog, "_sync", slow)
    writer = SegmentWriter(tmp_path)
    threads = [threading.Thread(target=writer.append, args=({"n": number},)) for number in range(100)]
    threads[0].start()
    assert syncing.wait(10)  # the first is under way: all others have to wait for the next group
    for thread in threads[1:]:
        thread.start()
    while writer._queue.qsize() < 99:
        pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    writer.close()

    assert writer.records == 100
    assert writer.groups == 3  # 1, then 64, then 35
    assert sorted(record["n"] for record in _read(tmp_path)) == list(range(100))  # type: ignore[type-var]


def test_append_returns_only_after_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(evidencelog, "_sync", lambda descriptor: go_on.wait(10))
    writer = SegmentWriter(tmp_path)

    async def scene() -> None:
        waiting = asyncio.create_task(writer.append_async({"n": 1}))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        go_on.set()
        await waiting

    asyncio.run(scene())
    writer.close()


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_end_is_passed_over_and_a_new_writer_goes_on(tmp_path: Path, cut: int) -> None:
    _fill(tmp_path, 3)
    path = list_segments(tmp_path)[-1]
    path.write_bytes(path.read_bytes()[:-cut])

    assert [record["n"] for record in _read(tmp_path)] == [0, 1]
    _fill(tmp_path, 2)
    assert [record["n"] for record in _read(tmp_path)] == [0, 1, 0, 1]
    assert len(list_segments(tmp_path)) == 2


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"garbage without end", b"\xff\n\xff\n"])
def test_garbage_at_the_end_is_passed_over(tmp_path: Path, tail: bytes) -> None:
    _fill(tmp_path, 3)
    with list_segments(tmp_path)[-1].open("ab") as file:
        file.write(tail)

    assert len(_read(tmp_path)) == 3


def test_damage_inside_is_said_with_file_and_byte(tmp_path: Path) -> None:
    _fill(tmp_path, 3)
    path = list_segments(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"n":1', b'"n":7') + lines[2])

    with pytest.raises(SegmentBroken) as caught:
        _read(tmp_path)
    assert str(path) in caught.value.say("en")
    assert str(len(lines[0])) in caught.value.say("en")


def test_the_reader_stops_before_a_line_that_is_being_written(tmp_path: Path) -> None:
    _fill(tmp_path, 1)
    line = encode_line({"n": 1})
    with list_segments(tmp_path)[0].open("ab") as file:
        file.write(line[:10])
        file.flush()
        (first,) = read_segments(tmp_path)
        file.write(line[10:])
    assert _read(tmp_path, first.position) == [{"n": 1}]


def test_two_writers_on_one_folder_are_refused(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    with pytest.raises(SpoolInUse):
        SegmentWriter(tmp_path)
    writer.close()
    SegmentWriter(tmp_path).close()


def test_a_full_spool_refuses_and_recovers_alone_when_segments_are_dropped(tmp_path: Path) -> None:
    line = len(encode_line({"n": 0}))
    writer = SegmentWriter(tmp_path, segment_bytes=line, spool_bytes=3 * line)
    for _ in range(3):
        writer.append({"n": 0})
    with pytest.raises(SpoolUnavailable, match="full"):
        writer.append({"n": 0})
    with pytest.raises(SpoolUnavailable):
        writer.check()

    last = list(read_segments(tmp_path))[-1].position
    assert drop_segments(tmp_path, last) == 2

    writer.append({"n": 9})
    writer.check()
    writer.close()
    assert [record["n"] for record in _read(tmp_path)] == [0, 9]


def test_a_failing_sync_refuses_the_whole_group_and_the_next_one_goes_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SegmentWriter(tmp_path)
    writer.append({"n": 0})

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "no disk")

    with monkeypatch.context() as broken:
        broken.setattr(evidencelog, "_sync", fail)
        with pytest.raises(SpoolUnavailable, match="EIO"):
            writer.append({"n": 1})
    writer.append({"n": 2})
    writer.close()

    assert [record["n"] for record in _read(tmp_path)] == [0, 2]


def test_a_really_full_disk_refuses_and_leaves_whole_lines(tmp_path: Path) -> None:
    """A file-size limit of the process stands in for the disk: the write really fails half way."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from yunhe.engine.evidencelog import SegmentWriter, SpoolUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, {resource.getrlimit(resource.RLIMIT_FSIZE)[1]}))
writer = SegmentWriter(Path({str(tmp_path)!r}))
for number in range(8):
    try:
        writer.append({{"n": number, "text": "x" * 100}})
        print("kept", number)
    except SpoolUnavailable as error:
        print("refused", number, error.facts["problem"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_env())
    said = [line.split() for line in done.stdout.splitlines()]

    assert any(words[0] == "refused" and words[2] == "EFBIG" for words in said)
    kept = [int(words[1]) for words in said if words[0] == "kept"]
    assert [record["n"] for record in _read(tmp_path)] == kept


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnavailable):
        SegmentWriter(tmp_path / "file" / "log")


def test_after_close_nothing_is_taken(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(SpoolUnavailable):
        writer.append({"n": 1})
    with pytest.raises(SpoolUnavailable):
        writer.check()


def test_dropping_keeps_the_newest_segment_and_what_was_not_read(tmp_path: Path) -> None:
    _fill(tmp_path, 4, segment_bytes=1)
    read = list(read_segments(tmp_path))

    assert drop_segments(tmp_path, "") == 0
    assert drop_segments(tmp_path, read[1].position) == 1
    assert [record["n"] for record in _read(tmp_path, read[1].position)] == [2, 3]
    assert drop_segments(tmp_path, "999999999999:0") == 2
    _fill(tmp_path, 1)
    assert list_segments(tmp_path)[-1].stem == "000000000005"


@pytest.mark.parametrize("position", ["x", "1:2", "000000000001:-1", "000000000001:", "000000000001:1\n"])
def test_a_position_of_another_form_is_refused(tmp_path: Path, position: str) -> None:
    with pytest.raises(BadPosition):
        list(read_segments(tmp_path, position))


def test_no_folder_is_an_empty_log(tmp_path: Path) -> None:
    assert _read(tmp_path / "absent") == []


@pytest.mark.fault
def test_kill_9_loses_no_record_whose_append_returned(tmp_path: Path) -> None:
    script = f"""
import os
import threading
from pathlib import Path
from yunhe.engine.evidencelog import SegmentWriter
writer = SegmentWriter(Path({str(tmp_path)!r}), segment_bytes=2000)
def work(name):
    number = 0
    while True:
        writer.append({{"worker": name, "n": number}})
        os.write(1, b"%d %d\\n" % (name, number))
        number += 1
for name in range(4):
    threading.Thread(target=work, args=(name,)).start()
"""
    for round_number in range(amount(small=3, full=60)):
        lines = 20 + (seed_of("kill evidence") + 37 * round_number) % 200
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=_env())
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.read().splitlines(keepends=True)
        process.stdout.close()
        process.wait()
        answered = [tuple(map(int, line.split())) for line in said if line.endswith(b"\n")]
        kept = {(record["worker"], record["n"]) for record in _read(tmp_path)}

        assert len(answered) >= lines
        assert set(answered) <= kept
        for path in list_segments(tmp_path):
            path.unlink()


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
