"""Reading the settings: what holds, what is refused, and what an error never shows."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.settings.table import BadSetting, read_database_url, read_settings

SECRET = "Hunter-Secret-7"
GOOD = f"postgresql://yunhe:{SECRET}@db.example:5432/yunhe"


def _read(home: Path, **values: str) -> dict[str, object]:
    return read_settings({"YUNHE_HOME": str(home), **{f"YUNHE_{name}": value for name, value in values.items()}})


def _refused(home: Path, **values: str) -> str:
    with pytest.raises(BadSetting) as caught:
        _read(home, **values)
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.say("zh") + repr(caught.value.facts)
    assert SECRET not in shown
    return caught.value.say("en")


@pytest.mark.parametrize(
    "value",
    [
        f"postgres://yunhe:{SECRET}@db/yunhe", f"mysql://yunhe:{SECRET}@db/yunhe", f"POSTGRESQL://y:{SECRET}@db/yunhe",
        f"postgresql+psycopg://yunhe:{SECRET}@db/yunhe", SECRET, f" {GOOD}", f"{GOOD}\n",
        f"postgresql://yunhe:{SECRET}@db", f"postgresql://yunhe:{SECRET}@db/", f"postgresql://yunhe:{SECRET}@db/a/b",
        f"postgresql://yunhe:{SECRET}@db:{SECRET}/yunhe", f"postgresql://yunhe:{SECRET}@db:99999/yunhe",
        f"postgresql://yunhe:{SECRET}@[db/yunhe", f"postgresql://yunhe:{SECRET}?a@db/yunhe",
        f"postgresql://yunhe:a/{SECRET}@db/yunhe", f"postgresql://yunhe:1/{SECRET}@db/yunhe",
        f"postgresql://yunhe:{SECRET}#a@db/yunhe", f"{GOOD}#{SECRET}",
        f"{GOOD}?password={SECRET}", f"{GOOD}?options=-c%20x", f"{GOOD}?host=/tmp", f"{GOOD}?service=x",
        f"{GOOD}?sslmode={SECRET}", f"{GOOD}?sslmode=require&sslmode=disable", f"{GOOD}?{SECRET}", f"{GOOD}?sslmode=",
        f"{GOOD}?connect_timeout=0", f"{GOOD}?connect_timeout=ten", f"{GOOD}?sslrootcert=relative.pem",
        f"{GOOD}?sslmode=require&sslkey=/k",
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["environment", "file", "toml"])
def test_a_database_address_of_another_form_is_refused_and_never_shown(
    tmp_path: Path, value: str, source: str
) -> None:
    if source == "environment":
        said = _refused(tmp_path, DATABASE=value)
    elif source == "toml":
        (tmp_path / "yunhe.toml").write_text(f"database = '''{value}'''\n")
        said = _refused(tmp_path)
    elif value == value.strip():
        (tmp_path / "address").write_text(value)
        said = _refused(tmp_path, DATABASE_FILE=str(tmp_path / "address"))
    else:
        return  # a file's blanks around the value are taken off
    assert "YUNHE_DATABASE" in said and "postgresql://user:password@host:port/name" in said


def test_a_good_database_address_is_kept_with_its_options(tmp_path: Path) -> None:
    url = f"{GOOD}?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=5&application_name=yun%20he"
    assert _read(tmp_path, DATABASE=url)["DATABASE"] == url
    parts = read_database_url(url)
    assert (parts.name, parts.user, parts.host, parts.port) == ("yunhe", "yunhe", "db.example", "5432")
    assert parts.password == SECRET and SECRET not in repr(parts)
    assert parts.options == {
        "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem", "connect_timeout": "5", "application_name": "yun he",
    }  # fmt: skip


@given(user=st.text(min_size=1, max_size=8), password=st.text(min_size=1, max_size=12), name=st.text("ab_-.é库", min_size=1))
def test_an_escaped_address_comes_back_whole(user: str, password: str, name: str) -> None:
    parts = read_database_url(f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h/{quote(name, safe='')}")
    assert (parts.user, parts.password, parts.name) == (user, password, name)


def test_django_gets_the_options(tmp_path: Path) -> None:
    script = "from yunhe.settings.django import DATABASES; print(DATABASES['default']['OPTIONS'])"
    environment = {
        "PYTHONPATH": "src", "YUNHE_HOME": str(tmp_path), "YUNHE_PROFILE": "server",
        "YUNHE_DATABASE": f"{GOOD}?sslmode=require",
    }  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "{'sslmode': 'require'}"


def test_a_process_that_cannot_start_prints_no_password(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": "src", "YUNHE_HOME": str(tmp_path), "YUNHE_DATABASE": f"{GOOD}?password={SECRET}"}
    command = [sys.executable, "-c", "import yunhe.settings.django"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode != 0 and "YUNHE_DATABASE" in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "line", [f"database_password = '{SECRET}'", f"home = '{SECRET}'", f"database = ['{SECRET}']", f"[database]\nx = '{SECRET}'"]
)
def test_the_value_of_an_unknown_key_is_never_shown(tmp_path: Path, line: str) -> None:
    (tmp_path / "yunhe.toml").write_text(line + "\n")
    assert line.lstrip("[").split()[0].strip("]").lower() in _refused(tmp_path).lower()


def test_an_unknown_variable_is_named_without_its_value(tmp_path: Path) -> None:
    assert "YUNHE_DATABSE" in _refused(tmp_path, DATABSE=GOOD)


def test_a_file_of_a_setting_must_be_readable_text(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(SECRET.encode() + b"\xff")
    for path in (tmp_path / "bytes", tmp_path / "none"):
        assert "YUNHE_DATABASE_FILE" in _refused(tmp_path, DATABASE_FILE=str(path))


@pytest.mark.parametrize("value", ["", "10.0.0.1", "10.0.0.1, ::1", " ,10.0.0.1,"])
def test_trusted_proxies(tmp_path: Path, value: str) -> None:
    assert _read(tmp_path, TRUSTED_PROXIES=value)["TRUSTED_PROXIES"] == value


@pytest.mark.parametrize("value", ["proxy.local", "10.0.0.0/8", "*", "10.0.0.1;10.0.0.2", "300.1.1.1"])
def test_trusted_proxies_are_addresses(tmp_path: Path, value: str) -> None:
    assert "YUNHE_TRUSTED_PROXIES" in _refused(tmp_path, TRUSTED_PROXIES=value)
