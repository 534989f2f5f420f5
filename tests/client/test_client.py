"""The client against a real gateway process, and against what is no gateway."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Self

import pytest

from tests.gateway.world import PERSON, World, build_file, process
from yunhe.client import CallRefused, Client, GatewayUnreachable, NotAnAnswer
from yunhe.client.signing import authorize
from yunhe.crypto.requests import is_signed_by, parse_header
from yunhe.kernel.errors import Invalid


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("client")
    return World(home=folder / "home", serving=build_file(folder))


def test_a_call_over_the_wire(world: World) -> None:
    with process(world) as (_running, caller):
        client = Client(str(caller.http.base_url), world.key_id, world.secret, language="en")
        answer = client.query(grant="G1", keys={"id": PERSON}, fields=["name"], officer="u1", case="c/1")
        with pytest.raises(CallRefused) as refused:
            client.query(grant="G1", keys={"id": PERSON}, fields=["mobile"])
        with pytest.raises(CallRefused) as bad:
            client.query(grant="G1", keys={"id": 7})
        again = [client.query(grant="G1", keys={"id": PERSON}).evidence for _ in range(3)]
        client.close()

    assert answer.found
    assert dict(answer.row or {}) == {"name": "测**"}
    assert (refused.value.refusal, refused.value.status, refused.value.exit_code) == ("field_not_granted", 403, 3)
    assert "mobile" in refused.value.say("en")
    assert (bad.value.refusal_kind, bad.value.exit_code) == ("invalid", 2)
    ids = [line["id"] for line in world.evidence()]
    assert ids == [answer.evidence, refused.value.evidence, bad.value.evidence, *again]
    assert world.evidence()[0]["facts"]["case"] == "c/1"


def test_a_restarted_gateway_is_called_again_on_a_new_connection(world: World) -> None:
    with Canned(
        200, {"found": False, "row": None, "resource": "", "snapshot": "", "release": "", "evidence": "E"}
    ) as one:
        client = Client(one.address, "AK", "secret")
        assert client.query(grant="G1", keys={"id": "1"}).evidence == "E"
        one.hang_up()
        assert client.query(grant="G1", keys={"id": "1"}).evidence == "E"
        client.close()
    nonces = {parse_header(header).nonce for header in one.seen}
    assert len(nonces) == len(one.seen) >= 2


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(GatewayUnreachable) as caught:
        Client("http://127.0.0.1:9", "AK", "secret", timeout=2).query(grant="G", keys={"id": "1"})
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("status", "content"), [(200, {}), (200, []), (200, "page"), (502, {"error": "proxy"}), (302, None)]
)
def test_what_is_no_gateway_is_said_so(status: int, content: object) -> None:
    with (
        Canned(status, content) as server,
        Client(server.address, "AK", "secret") as client,
        pytest.raises(NotAnAnswer) as caught,
    ):
        client.query(grant="G", keys={"id": "1"})
    assert str(status) in caught.value.say("zh")


@pytest.mark.parametrize("address", ["", "127.0.0.1:8601", "ftp://host", "http://"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        Client(address, "AK", "secret")


def test_each_signature_is_fresh_and_right() -> None:
    values = [authorize(key_id="AK", secret="s", method="POST", path="/v1/query", body=b"{}") for _ in range(50)]
    headers = [parse_header(value) for value in values]

    assert len({header.nonce for header in headers}) == 50
    assert all(
        is_signed_by(header, secret=b"s", method="POST", path="/v1/query", query="", body=b"{}") for header in headers
    )


def test_the_client_can_be_copied_out(tmp_path: Path) -> None:
    """Only client, crypto and kernel are copied, and it still imports."""
    import os
    import shutil
    import subprocess
    import sys

    import yunhe

    source = Path(yunhe.__file__ or "").parent
    for name in ("client", "crypto", "kernel"):
        shutil.copytree(source / name, tmp_path / "yunhe" / name)
    shutil.copy(source / "__init__.py", tmp_path / "yunhe" / "__init__.py")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    script = "import yunhe.client, sys; print(yunhe.client.__file__)"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(tmp_path))


class Canned:
    """A server that always answers the same."""

    def __init__(self, status: int, content: object) -> None:
        seen: list[str] = []
        connections: list[object] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                connections.append(self.connection)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                seen.append(self.headers["Authorization"])
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return

        self.seen = seen
        self._connections = connections
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def hang_up(self) -> None:
        import socket

        for connection in self._connections:
            assert isinstance(connection, socket.socket)
            connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
