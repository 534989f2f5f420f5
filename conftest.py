"""What holds for every test: a home of its own, the printed seed."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before Django is touched: a test never sees the developer's node, nor a setting of the shell.
for _name in [name for name in os.environ if name.startswith("YUNHE_")]:
    del os.environ[_name]
# A process that a test starts compiles nothing anew, whatever the shell says of keeping compiled modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["YUNHE_HOME"] = tempfile.mkdtemp(prefix="yunhe-test-home-")
(Path(os.environ["YUNHE_HOME"]) / "static").mkdir()  # whitenoise warns where a node has none
ON_POSTGRESQL = os.environ.get("TESTS_ON") == "postgresql"
if ON_POSTGRESQL:
    os.environ["YUNHE_PROFILE"] = "server"
    os.environ["YUNHE_DATABASE"] = os.environ.get("TEST_DATABASE", "postgresql://root@127.0.0.1:5432/postgres")
os.environ["DJANGO_SETTINGS_MODULE"] = "yunhe.settings.django"
atexit.register(shutil.rmtree, os.environ["YUNHE_HOME"], ignore_errors=True)

import django  # noqa: E402
import pytest  # noqa: E402
from django.db import connection  # noqa: E402
from hypothesis import is_hypothesis_test  # noqa: E402

from tests.sharing import is_short, make_scheduler  # noqa: E402
from tests.soaking import is_soaking, seed_of  # noqa: E402

django.setup()  # tests/conftest.py imports the rooms' faces
if ON_POSTGRESQL:  # only the control database is another; who may do what, and where files lie, is as everywhere
    os.environ["YUNHE_PROFILE"] = django.conf.settings.YUNHE["PROFILE"] = "embedded"
    del os.environ["YUNHE_DATABASE"]
else:  # pytest-django knows Django's own SQLite by its name, ours it is told of
    django.conf.settings.DATABASES["default"]["TEST"]["NAME"] = ":memory:"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let each worker process make a home of its own: it must not inherit this one's."""
    for name in ("DJANGO_SETTINGS_MODULE", "YUNHE_HOME"):
        os.environ.pop(name, None)


def pytest_report_header() -> list[str]:
    kind = "full counts (soak)" if is_soaking() else "small counts"
    return [f"yunhe: {kind}, seed {seed_of()}, on {connection.vendor}"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out together what is made once for a module."""
    return make_scheduler(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.property)
    yield
    items.sort(key=lambda item: is_short(item.nodeid))
