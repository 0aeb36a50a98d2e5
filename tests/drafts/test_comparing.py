"""What publishing a draft would change, as its routes tell before it is done."""

import pytest

from tests.drafts.asking import address, begin
from tests.drafts.test_publishing import darken


def diff(client, draft, **asked):
    answer = client.post(address(draft, "diff"), json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("asked", [{}, {"pictures": 0}, {"pictures": 1, "keys": 5}])
def test_an_untouched_draft_differs_in_nothing(anna, asked):
    found = diff(anna, begin(anna), **asked)
    assert (found["status"], found["complete"]) == ("unchanged", True)
    assert (found["pictures"], found["keys"]) == ([], [])
    assert {view["old"] == view["new"] for view in found["views"]} == {True}


@pytest.mark.parametrize("pictures", [0, 1, 2, 48])
def test_another_silver_changes_what_shows_silver_and_pictures_show_it(anna, pictures):
    found = diff(anna, darken(anna, begin(anna), 0.31), pictures=pictures)
    assert found["status"] == "changed"
    assert all(view["changed"] and view["kept"] for view in found["views"])
    assert bool(found["pictures"]) == bool(pictures)
    assert len(found["pictures"]) <= pictures
    for picture in found["pictures"]:
        assert picture["configuration"]["metal"] == "silver"
        before, after = anna.get(picture["before"]), anna.get(picture["after"])
        assert (before.status_code, after.status_code) == (200, 200)
        assert before.content != after.content
        assert after.headers["cache-control"] == "private, no-store"


def test_keys_are_told_where_they_are_asked_for(anna):
    draft = darken(anna, begin(anna), 0.32)
    assert diff(anna, draft)["keys"] == []
    keys = diff(anna, draft, keys=3)["keys"]
    assert len(keys) == 3
    assert all(key["old"] != key["new"] and "metal=silver" in key["path"] for key in keys)


@pytest.mark.parametrize("asked", [{"pictures": -1}, {"keys": 10**9}, {"width": "x"}, {"more": 1}])
def test_what_cannot_be_asked_of_a_comparison_is_named(anna, asked):
    answer = anna.post(address(begin(anna), "diff"), json=asked)
    assert answer.status_code == 400
    assert next(iter(asked)) in answer.json()["detail"]
