"""Memory of `yunhe up` at rest: the anonymous part of PSS over all its processes, against the limit set."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._harness import Result, machine, note, parser, show

LIMIT_MB = 500.0
SETTLE_S = 20.0


def main() -> None:
    """Make a demonstration node, start it, let it settle, add up its processes."""
    arguments = parser("idle", rows=2000, about=__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory(prefix="yunhe-idle-") as folder:
        environment = os.environ | {
            "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src"),
            "YUNHE_HOME": f"{folder}/home",
            "YUNHE_WEB_PORT": "8790",
            "YUNHE_GATEWAY_PORT": "8791",
        }
        command = [sys.executable, "-m", "yunhe.cli.main"]
        started = time.monotonic()
        subprocess.run([*command, "demo", "--people", str(arguments.rows)], env=environment, check=True, stdout=sys.stderr)
        made_s = round(time.monotonic() - started, 1)
        up = subprocess.Popen([*command, "up"], env=environment, stdout=sys.stderr, start_new_session=True)
        try:
            time.sleep(SETTLE_S)
            parts = anonymous_mb(up.pid)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)
    total = round(sum(parts.values()), 1)
    note(f"{parts}")
    result = Result(
        "idle", total, LIMIT_MB, "limit set", round(LIMIT_MB / total, 3), "MB", 1, arguments.rows, {}, machine(),
        {"processes_mb": parts, "demo_made_s": made_s},
    )
    show(result, as_json=arguments.json)


def anonymous_mb(root: int) -> dict[str, float]:
    """Return Pss_Anon of a process and its descendants, by command word and pid."""
    wanted, found = {root}, {}
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    for _ in range(5):
        wanted |= {pid for pid, parent in parents.items() if parent in wanted}
    for pid in sorted(wanted):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            word = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2].decode()
        except OSError:
            continue
        kib = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon"))
        found[f"{word} {pid}"] = round(kib / 1024, 1)
    return found


if __name__ == "__main__":
    main()
