"""The settings table: every setting once, typed; an unknown or malformed one stops the start.

A value comes from, in this order: the environment (`YUNHE_X`), a file named by the environment
(`YUNHE_X_FILE`), `YUNHE_HOME/yunhe.toml` (key `x`), the default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from yunhe.kernel.errors import Terminal

PREFIX = "YUNHE_"
DATABASE_SCHEME = "postgresql://"
DATABASE_OPTIONS: Mapping[str, str] = {
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "sslrootcert": "system|/[^\\x00-\\x1f]{1,500}",
    "connect_timeout": "[1-9][0-9]{0,3}",
    "application_name": "[ -~]{1,63}",
}
"""What may stand behind the ? of DATABASE, and the form of its value. Source: libpq, "Parameter Key Words"."""
NOT_SHOWN = "(not shown)"


class BadSetting(Terminal):
    code = "bad_setting"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "设置 {name}（来自{where}）：需要{expected}，实际是“{found}”。请改正后重新启动。",
        "en": 'Setting {name} (from {where}): expected {expected}, found "{found}". Mend it and start again.',
    }


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The parts of the DATABASE setting, unescaped."""

    name: str
    user: str
    password: str = field(repr=False)
    host: str
    port: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `parse` raises ValueError on a malformed value.

    A secret one's value is never shown; the text of its ValueError is, so that must hold nothing of the value.
    """

    name: str
    parse: Callable[[str], Any]
    default: str
    unit: str
    help: str
    expected: str
    secret: bool = False


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(value)


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return parse


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(value)
        return number

    return parse


def _database(value: str) -> str:
    if value:
        read_database_url(value)
    return value


def read_database_url(value: str) -> DatabaseAddress:
    """Return the parts of a DATABASE value. Raises: ValueError, whose text holds nothing of the value."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ValueError("an address or a port that cannot be read") from None
    if not value.startswith(DATABASE_SCHEME) or any(ord(letter) <= 32 for letter in value):
        raise ValueError("another scheme, or a blank")
    name = unquote(url.path.removeprefix("/"))
    if not name or "/" in name or url.fragment or "#" in value:
        raise ValueError("no database name after the host, or an unescaped / ? # (write %2F %3F %23)")
    return DatabaseAddress(
        name=name, user=unquote(url.username or ""), password=unquote(url.password or ""), host=url.hostname or "",
        port=str(port or ""), options=_database_options(url.query),
    )  # fmt: skip


def _database_options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        pairs = [("", "")]
    options = dict(pairs)
    if len(options) != len(pairs) or any(not _is_option(name, option) for name, option in pairs):
        raise ValueError("an option that is not allowed, is given twice or has no such value")
    return options


def _is_option(name: str, value: str) -> bool:
    form = DATABASE_OPTIONS.get(name)
    return form is not None and re.fullmatch(form, value) is not None


def _addresses(value: str) -> str:
    for part in filter(None, map(str.strip, value.split(","))):
        ip_address(part)
    return value


def _origin(value: str) -> str:
    url = urlsplit(value)
    bare = url.geturl() == value == f"{url.scheme}://{url.netloc}" and "@" not in url.netloc and "," not in url.netloc
    if value and not (bare and url.scheme in ("http", "https") and url.hostname and url.port != 0):
        raise ValueError(value)
    return value


def _origins(value: str) -> str:
    for part in map(str.strip, value.split(",")):
        _origin(part)
    return value


def _scanner(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not value.startswith("/") and not (host and PORT(port)):
        raise ValueError(value)
    return value


PORT = _between(1, 65535)

TABLE: tuple[Setting, ...] = (
    Setting("HOME", _text, "./var", "path", "All local state of the node lives here.", "a path"),
    Setting("PROFILE", _choice("embedded", "server"), "embedded", "", "embedded: SQLite and local files. server: PostgreSQL.", "embedded or server"),
    Setting("DATABASE", _database, "", "url", "PostgreSQL address of the control data in the server profile. Options after `?`: sslmode, sslrootcert, connect_timeout, application_name.", "postgresql://user:password@host:port/name", secret=True),
    Setting("HOST", _text, "127.0.0.1", "address", "Address that the pages and the gateway bind to.", "an address"),
    Setting("WEB_PORT", PORT, "8600", "port", "Port of portal and console.", "a port 1-65535"),
    Setting("GATEWAY_PORT", PORT, "8601", "port", "Port of the data gateway.", "a port 1-65535"),
    Setting("ALLOWED_HOSTS", _text, "127.0.0.1,localhost,[::1]", "names", "Host names that the pages answer to, by comma.", "names by comma"),
    Setting("TRUSTED_PROXIES", _addresses, "", "addresses", "Reverse proxies (by comma) whose X-Forwarded-For names the caller; of any other peer the header is ignored. Sign-in failures are counted by that address.", "IP addresses by comma"),
    Setting("HTTPS", _flag, "false", "", "Pages are reached by HTTPS: cookies become secure.", "true or false"),
    Setting("WEB_THREADS", _between(1, 64), "8", "threads", "Threads of the one web process.", "1-64"),
    Setting("WORKER_POLL_MS", _between(20, 60000), "300", "ms", "Pause of the worker when the queue is empty.", "20-60000"),
    Setting("LEASE_SECONDS", _between(3, 3600), "30", "s", "How long a job's lease lasts without renewal (renewed every third of it).", "3-3600"),
    Setting("ENGINE_MEMORY_MB", _between(128, 1048576), "700", "MB", "Memory that one load or check may take in the engine.", "128-1048576"),
    Setting("ENGINE_THREADS", _between(1, 256), "2", "threads", "Threads that one load or check may take.", "1-256"),
    Setting("QUERY_SECONDS", _between(1, 3600), "20", "s", "Time limit of one query.", "1-3600"),
    Setting("QUERY_ROWS", _between(1, 1000000), "1000", "rows", "Most rows that one query answers with.", "1-1000000"),
    Setting("SMALL_NUMBER_FLOOR", _between(0, 1000), "10", "rows", "Counts under it are hidden from those who may not see the rows.", "0-1000"),
    Setting("KEEP_DAYS", _between(1, 36500), "90", "days", "How long ended jobs, delivered messages and read notices are kept. Evidence is never thinned out.", "1-36500"),
    Setting("CLOCK_SKEW_SECONDS", _between(1, 3600), "300", "s", "How far a caller's clock may differ at the gateway.", "1-3600"),
    Setting("RIGHTS_STALE_SECONDS", _between(1, 86400), "60", "s", "The gateway refuses when its rights image is older.", "1-86400"),
    Setting("PUBLIC_URL", _origin, "", "url", "Address that people reach the pages at; links in e-mails begin with it. Empty: e-mails have no link.", "http(s)://host[:port]"),
    Setting("SMTP_HOST", _text, "", "name", "Mail server that notices leave by. Empty: no e-mail.", "a host name"),
    Setting("SMTP_PORT", PORT, "587", "port", "Port of the mail server.", "a port 1-65535"),
    Setting("SMTP_TLS", _choice("starttls", "tls", "none"), "starttls", "", "Encryption of the way to the mail server. With none no password is sent.", "starttls, tls or none"),
    Setting("SMTP_USER", _text, "", "name", "Name to sign in with at the mail server. Empty: no sign-in.", "a name"),
    Setting("SMTP_PASSWORD", _text, "", "", "Password of SMTP_USER.", "a text", secret=True),
    Setting("SMTP_FROM", _text, "", "address", "Sender of the mails. Empty: no e-mail.", "name@example.org"),
    Setting("SMTP_SECONDS", _between(1, 60), "5", "s", "How long the mail server may take for one answer.", "1-60"),
    Setting("WEBHOOK_HOSTS", _origins, "", "origins", "Origins (by comma) that webhooks may be registered at. Empty: none. Never reached, listed or not: link-local and metadata addresses, the node's own ports.", "http(s)://host[:port] by comma"),
    Setting("WEBHOOK_SECONDS", _between(1, 60), "5", "s", "How long one call of a webhook may take in all.", "1-60"),
    Setting("SOURCE_ROOTS", _text, "", "paths", "Folders that file sources may be read from, by colon. `/folder`: each organisation from /folder/ITS-CODE only; `CODE=/folder`: that organisation alone; `*=/folder`: every organisation. Besides these: YUNHE_HOME/uploads/ITS-CODE. The local operator of an embedded node may read any outside YUNHE_HOME.", "paths by colon"),
    Setting("ATTACHMENT_MB", _between(1, 2048), "50", "MB", "Largest file that may be uploaded as an attachment.", "1-2048"),
    Setting("ATTACHMENT_QUOTA_MB", _between(1, 1048576), "500", "MB", "Room for the uploads of one person that are not handed in yet, and for the attachments of one subject.", "1-1048576"),
    Setting("CLAMD", _scanner, "", "address", "clamd that every uploaded file is shown to: the path of its socket, or host:port. Empty: files are not scanned, and pages say so.", "/path/of/socket or host:port"),
    Setting("LOG", _choice("json", "text"), "json", "", "Form of the log lines.", "json or text"),
    Setting("DEBUG", _flag, "false", "", "Developer's error pages. Never with real data.", "true or false"),
)
BY_NAME = {setting.name: setting for setting in TABLE}


def read_settings(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return every setting of the table, typed. Raises: BadSetting on an unknown or malformed one."""
    env = os.environ if environment is None else environment
    home = Path(env.get(PREFIX + "HOME") or BY_NAME["HOME"].default).expanduser().resolve()
    raw: dict[str, tuple[str, str]] = {s.name: (s.default, "default") for s in TABLE}
    raw.update(_from_file(home / "yunhe.toml"))
    raw.update(_from_environment(env))
    values = {name: _parse(name, value, where) for name, (value, where) in raw.items()}
    values["HOME"] = home
    if values["PROFILE"] == "server" and not values["DATABASE"]:
        raise BadSetting(name="YUNHE_DATABASE", where="server profile", expected=BY_NAME["DATABASE"].expected, found="")
    return values


def _from_file(path: Path) -> dict[str, tuple[str, str]]:
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(name="yunhe.toml", where=str(path), expected="TOML", found=str(error)) from error
    found = {}
    for key, value in content.items():
        name = key.upper()
        if name not in BY_NAME or name == "HOME":
            raise BadSetting(name=key, where=str(path), expected="a setting of `yunhe doctor --settings`", found=NOT_SHOWN)
        if isinstance(value, dict | list):
            raise BadSetting(name=key, where=str(path), expected=BY_NAME[name].expected, found=type(value).__name__)
        found[name] = (str(value).lower() if isinstance(value, bool) else str(value), str(path))
    return found


def _from_environment(env: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {}
    for variable, value in env.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name in BY_NAME:
            found[name] = (value, f"environment {variable}")
        elif name.endswith("_FILE") and name.removesuffix("_FILE") in BY_NAME:
            try:
                found[name.removesuffix("_FILE")] = (Path(value).read_text("utf-8").strip(), value)
            except OSError as error:
                raise BadSetting(name=variable, where="environment", expected="a readable file", found=error.strerror) from None
            except UnicodeDecodeError:
                raise BadSetting(name=variable, where="environment", expected="a UTF-8 file", found="other bytes") from None
        else:
            raise BadSetting(name=variable, where="environment", expected="a known setting (yunhe doctor --settings)", found="unknown name")
    return found


def _parse(name: str, value: str, where: str) -> Any:
    setting = BY_NAME[name]
    try:
        return setting.parse(value)
    except ValueError as error:  # `from None`: a chained error would print the value after all
        found = str(error) if setting.secret else value
        raise BadSetting(name=PREFIX + name, where=where, expected=setting.expected, found=found) from None
