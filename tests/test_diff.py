"""`diff`: exactly what changes, by keys, and pictures that show it."""

import json

import numpy as np
import pytest
import pyvips

from tests.releases import (
    ENCODING,
    change,
    command,
    publish,
    write_calibrated,
    write_sound,
    write_without,
)

HERO, TOP = 6, 2
"""Configurations that are made: two metals, two gems, two grounds, but no sapphire in silver."""


@pytest.fixture
def variant(tmp_path):
    return write_sound(tmp_path / "variant")


def diff(old, new, *words, **settings):
    done = command("diff", old, new, *words, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(old, new, *words, **settings):
    return json.loads(diff(old, new, "--json", *words, **settings))


def views(found):
    (composition,) = found["compositions"]
    return {view["view"]: view for view in composition["views"]}


def counts(view):
    return {word: view[word] for word in ("changed", "kept", "added", "gone")}


def test_a_folder_compared_with_itself_changes_nothing(sound):
    found = report(sound, sound, "--keys")
    assert [c["status"] for c in found["compositions"]] == ["unchanged"]
    assert found["keys"] == []
    assert "1 composition unchanged" in diff(sound, sound)


def test_qualities_change_the_keys_of_the_pictures_they_are_of_and_no_others(sound, variant):
    (variant / "ring" / "encoding.toml").write_text(ENCODING)
    before = report(sound, variant, "--keys")
    louder = variant / "ring" / "encoding.toml"
    louder.write_text(louder.read_text().replace("gold = -5.0", "gold = -6.0"))
    quieter = write_calibrated(variant.parent / "quieter")
    after = report(quieter, variant)

    changed = {(key["path"].split("/")[3], key["path"][-5:]) for key in before["keys"]}
    assert changed == {("hero", ".webp")}
    assert counts(views(before)["hero"])["kept"] == 0
    assert views(before)["top"]["old"] == views(before)["top"]["new"]
    # Silver is made with rubies only, on two grounds.
    assert counts(views(after)["hero"]) == {"changed": HERO - 2, "kept": 2, "added": 0, "gone": 0}


def test_only_the_configurations_that_show_a_changed_metal_change(sound, silver):
    found = views(report(sound, silver))
    assert counts(found["hero"]) == {"changed": 2, "kept": HERO - 2, "added": 0, "gone": 0}
    assert counts(found["top"]) == {"changed": 1, "kept": TOP - 1, "added": 0, "gone": 0}
    assert found["hero"]["old"] != found["hero"]["new"]


def test_a_changed_file_leaves_the_view_that_does_not_show_it_alone(sound, variant):
    stone = pyvips.Image.new_from_file(str(variant / "ring" / "stone-ruby.png"))
    (stone * [1, 0.5, 1, 1]).cast("uchar").pngsave(str(variant / "ring" / "stone-ruby.png"))
    found = views(report(sound, variant))
    assert counts(found["hero"]) == {"changed": 4, "kept": 2, "added": 0, "gone": 0}
    assert found["top"]["old"] == found["top"]["new"]


def test_every_key_is_listed_once_and_only_those_that_change(sound, silver):
    found = report(sound, silver, "--keys", "--limit", 10_000)
    paths = [key["path"] for key in found["keys"]]
    # hero: 3 widths and its region 1, 3 or 4 formats; top: 1 width, 4 formats.
    assert len(paths) == 4 * 4 + 4 * 3 + 4
    assert len(set(paths)) == len(paths)
    assert all("metal=silver" in path for path in paths)
    assert all(key["old"] != key["new"] for key in found["keys"])
    assert found["complete"]


def test_a_list_of_keys_that_was_cut_says_so(sound, silver):
    found = report(sound, silver, "--keys", "--limit", 5)
    assert len(found["keys"]) == 5
    assert not found["complete"]
    assert "--limit above 5" in diff(sound, silver, "--keys", "--limit", 5)


def test_the_keys_of_regions_are_listed_with_those_of_the_whole_view(sound, variant):
    ground = pyvips.Image.new_from_file(str(variant / "ring" / "ground.png"))
    spot = pyvips.Image.black(4, 4, bands=4).linear(1, [9, 9, 9, 255]).cast("uchar")
    ground.insert(spot, 0, 0).pngsave(str(variant / "ring" / "ground.png"))
    found = report(sound, variant, "--keys")
    assert counts(views(found)["hero"])["changed"] == 3
    assert {":" in key["path"].split("/")[3] for key in found["keys"]} == {True, False}


def test_what_is_offered_or_not_any_more_is_named(sound, variant):
    definition = variant / "ring" / "composition.toml"
    change(definition, 'values = ["ruby", "sapphire"]', 'values = ["ruby", "spinel"]')
    change(definition, 'gem = "sapphire"', 'gem = "spinel"')
    (variant / "ring" / "stone-sapphire.png").rename(variant / "ring" / "stone-spinel.png")
    (composition,) = report(sound, variant)["compositions"]
    assert composition["values_added"] == {"gem": ["spinel"]}
    assert composition["values_gone"] == {"gem": ["sapphire"]}
    assert counts(composition["views"][0]) == {"changed": 0, "kept": 4, "added": 2, "gone": 2}


def test_a_view_and_a_composition_that_are_gone_or_new_are_named(sound, tmp_path):
    without = write_without(tmp_path / "without")
    assert views(report(sound, without))["top"]["new"] is None
    (without / "ring").rename(without / "band")
    said = diff(sound, without)
    assert "band: + new" in said
    assert "ring: - gone" in said


def test_a_changed_title_changes_no_picture(sound, variant):
    change(variant / "ring" / "composition.toml", 'title = "Test ring"', 'title = "Ring"')
    assert "ring: titles, swatches or rules only" in diff(sound, variant)


def test_states_and_the_live_one_are_sides_too(sound, silver, tmp_path):
    store = tmp_path / "published"
    publish(sound, releases=store)
    publish(silver, releases=store)
    said = diff(1, "live", releases=store)
    assert "state 1 → state 2" in said
    assert "unchanged" in diff("live", silver, releases=store)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("nowhere", "neither a folder nor a state"),
        ("9", "There is no state '9'"),
        ("live", "Nothing is published"),
    ],
)
def test_a_side_that_is_none_is_refused_with_what_there_is(sound, tmp_path, word, expected):
    done = command("diff", word, sound, releases=tmp_path / "published")
    assert done.returncode == 1
    assert expected in done.stderr


def test_pictures_show_what_was_what_is_and_where_they_differ(sound, silver, tmp_path):
    folder = tmp_path / "pictures"
    said = diff(sound, silver, "--pictures", folder, "--width", 160, "--sample", 2)
    assert "2 of the 3 configurations whose picture changes are shown" in said
    before, after, difference = (
        pyvips.Image.new_from_file(str(folder / f"001-{name}.png")).numpy().astype(int)
        for name in ("before", "after", "difference")
    )
    assert before.shape == after.shape == difference.shape == (120, 160, 3)
    assert (np.clip(128 + 8 * (after - before), 0, 255) == difference).all()
    assert (difference[:20] == 128).all()
    assert (difference[-20:, 70:90] < 128).all()
    page = (folder / "index.html").read_text()
    assert page.count("<img") == 6
    assert "of the pixels differ" in page
