"""Origins are scheme, host and port, and nothing else; the password of the mail server is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from yunhe.settings.table import BadSetting, read_settings


@pytest.mark.parametrize("value", ["", "https://a.example", "http://10.1.2.3:8080", "https://[2001:db8::1]:8443"])
def test_origins_are_taken(tmp_path: Path, value: str) -> None:
    for name in ("PUBLIC_URL", "WEBHOOK_HOSTS"):
        assert read_settings({"YUNHE_HOME": str(tmp_path), f"YUNHE_{name}": value})[name] == value
    assert read_settings({"YUNHE_HOME": str(tmp_path), "YUNHE_WEBHOOK_HOSTS": f"{value}, https://b.example"})


@pytest.mark.parametrize(
    "value",
    ["a.example", "ftp://a.example", "https://", "https://a.example/", "https://a.example/x", "https://u:p@a.example", "https://a.example:0",
     "https://a.example:99999", "https://a.example?x", "https://a.example#x", "https://a.example,https://b.example/x"],
)  # fmt: skip
def test_what_is_no_origin_stops_the_start(tmp_path: Path, value: str) -> None:
    for name in ("PUBLIC_URL", "WEBHOOK_HOSTS"):
        with pytest.raises(BadSetting):
            read_settings({"YUNHE_HOME": str(tmp_path), f"YUNHE_{name}": value})


def test_one_public_address_only(tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        read_settings({"YUNHE_HOME": str(tmp_path), "YUNHE_PUBLIC_URL": "https://a.example,https://b.example"})
