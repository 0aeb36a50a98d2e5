"""Old versions: drawn exactly as they were, or what is stored of them, or a way to the current."""

import pytest

from tests.http.server import run_server
from tests.http.test_releases import PICTURE, QUICK, get, path_of, version_of, version_of_live
from tests.releases import (
    OTHER_PIPELINE,
    PROGRAM,
    change,
    command,
    publish,
    write_calibrated,
    write_sound,
    write_without,
)
from tests.servers import wait_until

OLDER_SERVER = """
import render_service.planning.key as key
key.PIPELINE_REVISION = 0
import os
from render_service.http.server import serve
from render_service.environment import read_settings
serve(read_settings(os.environ))
"""
LOUDER = (
    """
import render_service.planning.plan as plan
import render_service.pixels.encode as encode, msgspec
encode.PROFILES = {
    f: msgspec.structs.replace(p, quality=p.quality - 20) if f == "webp" else p
    for f, p in encode.PROFILES.items()
}
"""
    + PROGRAM
)


def serve(store, folder, **settings):
    folder.mkdir(exist_ok=True)
    return run_server("", folder, releases=store, **{**QUICK, **settings})


def test_an_old_url_is_drawn_byte_for_byte_by_a_process_that_never_saw_it(sound, silver, tmp_path):
    store = tmp_path / "published"
    publish(sound, releases=store)
    path = path_of(version_of_live(store))
    with serve(store, tmp_path / "first") as server:
        first = get(server, path)
    publish(silver, releases=store)
    with serve(store, tmp_path / "second") as server:
        again = get(server, path)
        current = get(server, path_of(version_of(server)))

    assert again.headers["cache-status"] == "render-service; fwd=miss; stored; detail=render"
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert current.content != first.content


def test_an_old_url_keeps_its_profiles(sound, tmp_path):
    store = tmp_path / "published"
    publish(sound, program=LOUDER, releases=store)
    path = path_of(version_of_live(store))
    with serve(store, tmp_path / "first") as server:
        coarse = get(server, path)
    publish(sound, releases=store)
    with serve(store, tmp_path / "second") as server:
        again = get(server, path)
        fine = get(server, path_of(version_of(server)))

    assert again.content == coarse.content
    assert len(fine.content) > len(coarse.content)


def test_an_old_url_keeps_the_qualities_that_it_was_published_with(sound, tmp_path):
    store = tmp_path / "published"
    calibrated = write_calibrated(tmp_path / "calibrated")
    paths = {}
    for name, folder in (("calibrated", calibrated), ("fixed", sound)):
        publish(folder, releases=store)
        paths[name] = path_of(version_of_live(store))
    with serve(store, tmp_path / "server") as server:
        bodies = {name: get(server, path).content for name, path in paths.items()}
        current = version_of(server)
    again = {}
    with run_server(calibrated, tmp_path, **QUICK) as server:
        again["calibrated"] = get(server, paths["calibrated"]).content

    assert path_of(current) == paths["fixed"] != paths["calibrated"]
    assert len(bodies["calibrated"]) < len(bodies["fixed"])
    assert again["calibrated"] == bodies["calibrated"]


def test_another_spelling_of_an_old_url_goes_to_that_old_url(sound, silver, tmp_path):
    store = tmp_path / "published"
    publish(sound, releases=store)
    path = path_of(version_of_live(store))
    publish(silver, releases=store)
    with serve(store, tmp_path / "server") as server:
        answer = get(server, path.replace("gem=ruby,background=white", "background=white,gem=ruby"))

    assert answer.status_code == 308
    assert answer.headers["location"] == path


def test_a_rule_that_came_later_does_not_take_an_old_picture_away(sound, tmp_path):
    store = tmp_path / "published"
    publish(sound, releases=store)
    path = path_of(version_of_live(store))
    stricter = write_sound(tmp_path / "stricter")
    rule = '[[forbid]]\nall = { metal = "silver", gem = "ruby" }\nreason = "No more."\n\n'
    change(stricter / "ring" / "composition.toml", "[[forbid]]", rule + "[[forbid]]")
    publish(stricter, releases=store)
    with serve(store, tmp_path / "server") as server:
        old = get(server, path)
        now = get(server, path_of(version_of(server)))

    assert old.status_code == 200
    assert now.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        f"/r/ring/hero/0123456789/{PICTURE}",
        f"/r/ring/nothing/0123456789/{PICTURE}",
        f"/r/nothing/hero/0123456789/{PICTURE}",
        f"/r/{'a' * 400}/hero/0123456789/{PICTURE}",
    ],
)
def test_a_version_that_was_never_published_is_not_found(sound, tmp_path, path):
    publish(sound, releases=tmp_path / "published")
    with serve(tmp_path / "published", tmp_path / "server") as server:
        for _ in range(2):
            assert get(server, path).status_code == 404


def test_of_another_pipeline_what_is_stored_is_served_and_the_rest_leads_to_the_current(
    sound, silver, tmp_path
):
    store = tmp_path / "published"
    publish(sound, program=OTHER_PIPELINE, releases=store)
    stored = path_of(version_of_live(store))
    with serve(store, tmp_path / "server", main=OLDER_SERVER) as server:
        drawn = get(server, stored)
        assert drawn.status_code == 200
    publish(silver, releases=store)
    with serve(store, tmp_path / "server") as server:
        again = get(server, stored)
        other = get(server, stored.replace("160.webp", "320.avif"))
        gone = get(server, stored.replace("160.webp", "240.webp").replace("ring/hero", "ring/top"))
        current = version_of(server)

    assert again.content == drawn.content
    assert again.headers["cache-control"] == drawn.headers["cache-control"]
    assert other.status_code == 302
    assert other.headers["location"] == path_of(current).replace("160.webp", "320.avif")
    assert "immutable" not in other.headers["cache-control"]
    assert gone.status_code == 404


def test_of_another_pipeline_a_view_that_is_gone_is_not_found(sound, tmp_path):
    store = tmp_path / "published"
    publish(sound, program=OTHER_PIPELINE, releases=store)
    old = next((store / "versions" / "ring" / "top").iterdir()).name
    publish(write_without(tmp_path / "without"), releases=store)
    with serve(store, tmp_path / "server") as server:
        answer = get(server, f"/r/ring/top/{old}/metal=gold/160.webp")

    assert answer.status_code == 404


def test_a_live_state_of_another_pipeline_is_served_as_this_program_draws_it_and_told(
    sound, tmp_path
):
    store = tmp_path / "published"
    publish(sound, program=OTHER_PIPELINE, releases=store)
    with serve(store, tmp_path / "server") as server:
        here = version_of(server)
        readiness = get(server, "/readyz")
        picture = get(server, path_of(here))
        assert "publish --release live" in server.log.read_text()

        publish("--release", "live", releases=store)
        wait_until(lambda: get(server, "/readyz").json()["status"] == "ready", server.log.read_text)
        assert version_of(server) == here

    assert readiness.json() == {"status": "degraded", "unavailable": ["releases"]}
    assert picture.status_code == 200
    assert version_of_live(store) == here


def test_a_folder_is_served_unpublished_and_has_no_old_versions(sound, silver, tmp_path):
    store = tmp_path / "published"
    publish(silver, releases=store)
    old = version_of_live(store)
    with run_server(sound, tmp_path, releases=store, **QUICK) as server:
        assert get(server, path_of(version_of(server))).status_code == 200
        assert get(server, path_of(old)).status_code == 404


def test_what_people_type_without_a_folder_is_about_the_demo_catalogue(tmp_path):
    done = command("render", "nothing", "hero", "-o", tmp_path / "x.webp", releases=tmp_path)
    assert "compositions: solitaire-ring" in done.stderr
