"""The gateway as a process."""

from __future__ import annotations

import os
import socket

import uvicorn

from yunhe.gateway.app import log, make_app
from yunhe.gateway.config import GatewayConfig
from yunhe.gateway.errors import AddressInUse

BACKLOG = 1024
GRACE_SECONDS = 10

__all__ = ["GatewayConfig", "run"]


def run(config: GatewayConfig) -> None:
    """Do serve until SIGTERM or SIGINT; calls under way are answered first.

    Raises: AddressInUse; SpoolInUse, SpoolUnavailable, NoncesUnavailable.
    """
    listener = _listen(config)
    try:
        settings = uvicorn.Config(
            make_app(config),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        log("gateway_listens", host=config.host, port=listener.getsockname()[1], process=os.getpid())
        uvicorn.Server(settings).run(sockets=[listener])
    finally:
        listener.close()


def _listen(config: GatewayConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((config.host, config.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        address = f"{config.host}:{config.port}"
        raise AddressInUse(address=address, problem=error.strerror or "cannot bind") from error
    return listener
