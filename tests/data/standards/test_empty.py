"""A node without the national pack."""

from __future__ import annotations

from yunhe.data.standards import api


def test_before_the_pack_there_are_no_elements(db: None) -> None:
    assert dict(api.get_elements()) == {}
    assert api.find_element_for(name="sfzh") == ()
