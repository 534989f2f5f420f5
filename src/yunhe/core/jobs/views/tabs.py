"""The tabs that stand above both lists."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yunhe.core.jobs import api
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import TabItem


def tabs_of(current: str, actor: Actor) -> tuple[TabItem, ...]:
    """Return the tabs; dead letters are the node's own, so that only who sees the whole node's jobs opens them."""
    jobs_tab = TabItem(_("作业"), reverse("jobs:list"), current == "list")
    if not actor.may("jobs.view", organization=""):
        return (jobs_tab,)
    return (jobs_tab, TabItem(_("死信"), reverse("jobs:dead"), current == "dead", api.outbox.count_dead()))
