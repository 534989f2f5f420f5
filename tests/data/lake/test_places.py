"""Where sources may lie: the owner of the data decides, nothing of the node is a source, links are followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.data.lake import api as lake
from yunhe.data.lake.api import places
from yunhe.data.lake.errors import SourceNotAllowed, SourceRootsBroken
from yunhe.kernel.actor import Actor, job_actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def roots(settings: Any, tmp_path: Path) -> Path:
    """One shared-out root, one that the bureau holds alone, one for all; a home of its own."""
    home, drop = tmp_path / "home", tmp_path / "drop"
    settings.HOME = home
    for folder in (home / "keys", home / "loads", home / "demo" / "sources", home / "uploads", drop):
        folder.mkdir(parents=True)
    settings.YUNHE = {
        **settings.YUNHE,
        "SOURCE_ROOTS": f"{drop}:11329900003299028F={tmp_path / 'bureau'}:*={tmp_path / 'common'}",
    }
    return tmp_path


def allowed(path: Path, owner: str, actor: Actor) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a,b\n1,2\n")
    try:
        return places.allowed_file(path, owner=owner, actor=actor) == path.resolve()
    except SourceNotAllowed:
        return False


def test_a_root_is_shared_out_by_organisation(roots: Path, cast: Cast) -> None:
    mine, theirs = cast.owner.code, cast.other.code
    assert allowed(roots / "drop" / mine / "a.csv", mine, cast.steward.actor)
    assert not allowed(roots / "drop" / theirs / "a.csv", mine, cast.steward.actor)
    assert not allowed(roots / "drop" / "a.csv", mine, cast.steward.actor)
    assert not allowed(roots / "drop" / "a.csv", "", cast.steward.actor)
    assert allowed(roots / "bureau" / "a.csv", cast.bureau.code, cast.data_admin.actor)
    assert not allowed(roots / "bureau" / "a.csv", mine, cast.steward.actor)
    assert allowed(roots / "common" / "a.csv", theirs, cast.clerk.actor)
    assert allowed(roots / "home" / "uploads" / mine / "a.csv", mine, cast.steward.actor)
    assert not allowed(roots / "home" / "uploads" / theirs / "a.csv", mine, cast.steward.actor)
    assert allowed(roots / "home" / "demo" / "sources" / "a.csv", mine, cast.steward.actor)


def test_the_owner_of_the_data_counts_not_who_asks(roots: Path, cast: Cast) -> None:
    of_owner = roots / "drop" / cast.owner.code / "a.csv"
    assert allowed(of_owner, cast.owner.code, cast.data_admin.actor)
    assert not allowed(of_owner, cast.bureau.code, cast.data_admin.actor)


@pytest.mark.parametrize("inside", ["keys/node.csv", "loads/x/quarantine.csv", "control.csv", "demo/other.csv"])
def test_nothing_of_the_node_is_a_source(roots: Path, cast: Cast, settings: Any, inside: str) -> None:
    home = roots / "home"
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={roots}:*={home}:*={home / 'loads'}"}
    for actor in (cast.steward.actor, organizations.operator_actor(), job_actor("tests")):
        assert not allowed(home / inside, cast.owner.code, actor)
        assert not allowed(roots / "elsewhere" / ".." / "home" / inside, cast.owner.code, actor)


def test_links_are_followed_before_the_check_and_what_was_checked_is_opened(roots: Path, cast: Cast) -> None:
    mine = roots / "drop" / cast.owner.code
    mine.mkdir()
    secret = roots / "drop" / cast.other.code / "secret.csv"
    assert allowed(secret, cast.other.code, cast.clerk.actor)
    (mine / "link.csv").symlink_to(secret)
    with pytest.raises(SourceNotAllowed):
        places.allowed_file(mine / "link.csv", owner=cast.owner.code, actor=cast.steward.actor)
    (mine / "real.csv").write_text("a\n1\n")
    (mine / "own.csv").symlink_to(mine / "real.csv")
    found = places.allowed_file(mine / "own.csv", owner=cast.owner.code, actor=cast.steward.actor)
    assert found == (mine / "real.csv").resolve()


@pytest.mark.parametrize("location", ["a.csv", "drop/a.csv", "~/a.csv", "", "/nul\0.csv", "/" + "x/" * 5000])
def test_a_path_that_is_not_full_or_not_one_is_refused(roots: Path, cast: Cast, location: str) -> None:
    for actor in (cast.steward.actor, organizations.operator_actor()):
        if location.startswith("/x") and actor.kind == "operator":
            continue  # an absurd but proper path: the connector says that it is not there
        with pytest.raises(SourceNotAllowed):
            places.allowed_file(Path(location), owner=cast.owner.code, actor=actor)


def test_the_operator_of_an_embedded_node_may_name_any_other_file(roots: Path, cast: Cast, settings: Any) -> None:
    operator = organizations.operator_actor()
    assert allowed(roots / "anywhere" / "a.csv", cast.owner.code, operator)
    settings.YUNHE = {**settings.YUNHE, "PROFILE": "server"}
    assert not allowed(roots / "anywhere" / "a.csv", cast.owner.code, operator)


def test_the_refusal_says_what_is_allowed(roots: Path, cast: Cast) -> None:
    with pytest.raises(SourceNotAllowed) as refused:
        places.allowed_file(roots / "a.csv", owner=cast.owner.code, actor=cast.steward.actor)
    for language in ("zh", "en"):
        assert str(roots / "drop" / cast.owner.code) in refused.value.say(language)
        assert "SOURCE_ROOTS" in refused.value.say(language)
        assert str(roots / "bureau") not in refused.value.say(language)


@pytest.mark.parametrize("entry", ["relative/folder", "=/nobody", "*=relative", "11329900003299028F"])
def test_a_broken_setting_is_told(roots: Path, cast: Cast, settings: Any, entry: str) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": entry}
    with pytest.raises(SourceRootsBroken):
        places.allowed_file(roots / "a.csv", owner=cast.owner.code, actor=cast.steward.actor)


def test_another_departments_file_can_be_neither_drafted_nor_loaded_as_ones_own(
    cast: Cast, tmp_path: Path, settings: Any
) -> None:
    load_national()
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": str(tmp_path)}
    (tmp_path / cast.owner.code).mkdir()
    source = spine.write_csv(tmp_path / cast.owner.code / "a.csv", spine.rows(3))
    assert lake.draft_contract(source=str(source), actor=cast.steward.actor).fields
    with pytest.raises(SourceNotAllowed):
        lake.draft_contract(source=str(source), actor=cast.clerk.actor)
    stolen = spine.publish(source, cast.other.code)
    done = spine.load(stolen, cast.clerk.actor)
    assert (done.state, done.error_code) == ("failed", "source_not_allowed")
    rightful = spine.publish(source, cast.owner.code)
    assert spine.load(rightful, cast.data_admin.actor).state == "successful"
    jobs.run_pending(limit=5)
