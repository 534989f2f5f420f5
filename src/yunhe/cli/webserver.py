"""The pages' server: gunicorn with threads (steadiest tail of those tried, docs/adr/0001-django-on-wsgi.md)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def run_web(*, host: str, port: int, threads: int) -> None:
    """Serve `yunhe.web.wsgi` until SIGTERM; one worker process, `threads` threads."""
    from gunicorn.app.base import BaseApplication

    options = {
        "bind": f"{host}:{port}" if ":" not in host else f"[{host}]:{port}",
        "workers": 1,
        "threads": threads,
        "worker_class": "gthread",
        "timeout": 120,
        "graceful_timeout": 15,
        "keepalive": 5,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "control_socket_disable": True,
        "limit_request_line": 8190,
        "worker_tmp_dir": None,
    }

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return import_string(settings.WSGI_APPLICATION)

    Server().run()
