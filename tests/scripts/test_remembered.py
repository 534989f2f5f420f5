"""What a fixture made is put in again exactly, and only where the database stands as it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import make_cast, make_roles
from tests.remembered import MOST, Memory, _contents, _tables
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership
from yunhe.core.organizations.types import Region
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import job_actor

pytestmark = pytest.mark.django_db
Count = Callable[..., Any]


@contextmanager
def undone() -> Iterator[None]:
    """Do undo what is done inside, as after a test."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Counted:
    """A making that counts how often it was called."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.calls = make, 0

    def __call__(self) -> Any:
        self.calls += 1
        return self.make()


def everything() -> Any:
    return _contents(_tables())


def national() -> Any:
    return packs.load_pack(name_or_path="national", actor=job_actor("tests"))


def later() -> str:
    """Add a region, and change and remove rows that were there."""
    organizations.create_region(region=Region("329901", "示范区", "county"), actor=job_actor("tests"))
    first, last = Membership.objects.order_by("id").first(), Membership.objects.order_by("id").last()
    assert first is not None and last is not None
    Membership.objects.filter(id=first.id).update(valid_from=first.valid_from - timedelta(days=1))
    last.delete()
    return "changed"


@pytest.mark.parametrize("make", [make_cast, national])
def test_rows_and_what_was_returned_are_the_same_again(make: Callable[[], Any]) -> None:
    memory, counted = Memory(), Counted(make)
    make_roles()
    with undone():
        first, after = memory.remembered("it", counted), everything()
    with undone():
        assert memory.remembered("it", counted) == first
        assert everything() == after
        assert counted.calls == 1


def test_changed_and_removed_rows_are_so_again() -> None:
    memory, counted = Memory(), Counted(later)
    make_roles()
    make_cast()
    with undone():
        assert memory.remembered("later", counted) == "changed"
        after = everything()
    with undone():
        assert memory.remembered("later", counted) == "changed"
        assert (everything(), counted.calls) == (after, 1)


def test_from_another_start_it_is_made_anew() -> None:
    memory, counted = Memory(), Counted(make_cast)
    make_roles()
    with undone():
        memory.remembered("cast", counted)
    for again in range(MOST + 2):
        with undone():
            organizations.create_region(region=Region(f"32991{again}", "别处", "city"), actor=job_actor("tests"))
            memory.remembered("cast", counted)
            assert len(organizations.list_regions(parent="")) > 1
    assert counted.calls == MOST + 3
    with undone():
        memory.remembered("another key", counted)
    assert counted.calls == MOST + 4
