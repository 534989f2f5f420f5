"""The real web server with a page that takes files. Run by tests in a process of its own.

`setup` makes the tables, an organisation and a person; `serve PORT` serves until it is killed;
`jobs` runs what is due.
"""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings

settings.INSTALLED_APPS.append("tests.core.attachments.server_app.TrialConfig")
settings.ROOT_URLCONF = "tests.core.attachments.server_urls"
django.setup()

from django.core.management import call_command  # noqa: E402

from yunhe.cli.webserver import run_web  # noqa: E402
from yunhe.core.jobs.api import run_pending  # noqa: E402
from yunhe.core.keys.api import create_node_key  # noqa: E402
from yunhe.core.organizations import api as organizations  # noqa: E402
from yunhe.core.organizations import models  # noqa: E402
from yunhe.core.organizations.types import Region, RightSpec  # noqa: E402
from yunhe.kernel.actor import job_actor  # noqa: E402

CODE = "11329900003299028F"


def setup() -> None:
    call_command("migrate", verbosity=0)
    create_node_key()
    founder = job_actor("tests")
    organizations.create_region(region=Region("329900", "示范市", "city"), actor=founder)
    organizations.create_organization(code=CODE, name="示范市数据局", short_name="市数据局", region="329900", actor=founder)
    organizations.define_role(
        code="officer", title={"zh": "经办人", "en": "Officer"}, rights=(RightSpec("jobs.view"),), separation="", actor=founder, pack="",
    )  # fmt: skip
    made = organizations.create_user(username="jingban", display_name="经办人", actor=founder)
    organizations.add_membership(username="jingban", organization=CODE, role="officer", actor=founder)
    models.User.objects.update(must_change_password=False)
    sys.stdout.write(json.dumps({"username": "jingban", "password": made.password}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["setup"]:
            setup()
        case ["jobs"]:
            run_pending()
        case ["serve", port]:
            run_web(host="127.0.0.1", port=int(port), threads=6)
