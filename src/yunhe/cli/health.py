"""`yunhe doctor`: what a node needs to run, looked at one by one."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Finding = dict[str, object]
LEAST_FREE_BYTES = 2 * 1024**3


def examine() -> list[Finding]:
    """Return one finding per check. Shape: {"check","ok","found","next"}."""
    return [_safely(check) for check in CHECKS]


def _safely(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a door: whatever breaks is a finding
        return _finding(check.__name__.strip("_"), False, f"{type(error).__name__}: {error}", "yunhe init")


def _finding(check: str, ok: bool, found: object, next_step: str) -> Finding:
    return {"check": check, "ok": ok, "found": str(found), "next": "" if ok else next_step}


def _home() -> Finding:
    home = Path(settings.HOME)
    mode = stat.S_IMODE(home.stat().st_mode) if home.exists() else 0
    return _finding("home", home.is_dir() and not mode & 0o077, f"{home} {mode:o}", f"yunhe init; chmod 700 {home}")


def _node_key() -> Finding:
    key = Path(settings.HOME) / "keys" / "node.key"
    mode = stat.S_IMODE(key.stat().st_mode)
    return _finding("node key", mode == 0o600, f"{mode:o}", f"chmod 600 {key}")


def _tables() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _finding("tables", not plan, f"{len(plan)} migrations to run", "yunhe init")


def _disk() -> Finding:
    free = shutil.disk_usage(settings.HOME).free
    return _finding("disk", free > LEAST_FREE_BYTES, f"{free // 1024**2} MB free", "free some space")


def _rights_image() -> Finding:
    from yunhe.data.exchange import api as exchange
    from yunhe.kernel.clock import now

    path = exchange.rights_image_path()
    if not path.exists():
        return _finding("rights image", False, "missing", "start the worker (yunhe up)")
    age = now().timestamp() - path.stat().st_mtime
    return _finding("rights image", age < settings.YUNHE["RIGHTS_STALE_SECONDS"], f"{age:.0f} s old", "yunhe up")


def _port(name: str) -> Callable[[], Finding]:
    def check() -> Finding:
        address = (settings.YUNHE["HOST"], settings.YUNHE[name])
        with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as probe:
            probe.settimeout(1)
            open_ = probe.connect_ex(address) == 0
        return _finding(name.lower(), open_, f"{address[0]}:{address[1]} {'answers' if open_ else 'silent'}", "yunhe up")

    check.__name__ = name.lower()
    return check


def _assets() -> Finding:
    built = Path(__file__).resolve().parent.parent / "ui" / "static" / "build"
    return _finding("assets", built.is_dir(), built.is_dir(), "python -m yunhe.ui.build (pages work without them, plainer)")


CHECKS: tuple[Callable[[], Finding], ...] = (
    _home,
    _node_key,
    _tables,
    _disk,
    _rights_image,
    _port("WEB_PORT"),
    _port("GATEWAY_PORT"),
    _assets,
)
