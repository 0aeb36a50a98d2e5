"""Drafts go live whole or not at all, and who did it is known whatever happens in between."""

import asyncio
import signal
import threading

import asyncpg
import httpx
import pytest

from tests.drafts.asking import address, begin, put, read
from tests.drafts.conftest import client_of, make_service
from tests.drafts.test_routes import problem
from tests.http.server import MAIN, run_server
from tests.servers import wait_until

PICTURE = "hero/metal=silver,gem=ruby,background=white/160.webp"

# Killed as a machine that loses its power is: before the pointer moves, or right after.
KILLED = (
    """
import os, signal
from render_service.adapters.release_folder import ReleaseFolder
moved = ReleaseFolder._move_live
def move(self, data, expected):
    {}
    os.kill(os.getpid(), signal.SIGKILL)
ReleaseFolder._move_live = move
"""
    + MAIN
)


def darken(client, draft, level):
    """Give silver another value; return the head of the new revision."""
    metal = draft["materials"]["materials"]["metal"]
    changed = {**metal, "silver": {**metal["silver"], "value": [level] * 3}}
    materials = {**draft["materials"], "materials": {"metal": changed}}
    answer = put(client, draft, json={"materials": materials})
    assert answer.status_code == 200, answer.text
    return {**draft, **answer.json(), "materials": materials}


def publish(client, draft, **body):
    headers = {"if-match": f'"{draft["revision"]}"'}
    return client.post(address(draft, "publish"), headers=headers, json=body)


def live(client):
    return client.get("/v1/releases/live").json()


def version(client):
    manifest = client.get("/v1/compositions/ring").json()
    return manifest["views"][0]["version"]


def settled(client, seen):
    """Wait until the server has another version of the view live."""
    wait_until(lambda: version(client) != seen, lambda: "nothing became live")


def activity(client, **query):
    answer = client.get("/v1/activity", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["activity"]


def test_a_draft_goes_live_and_shows_what_its_preview_showed(anna, nobody):
    draft, seen, before = darken(anna, begin(anna), 0.31), version(nobody), live(anna)["number"]
    shown = nobody.get(f"{draft['preview']['url']}/{PICTURE}").content
    answer = publish(anna, draft)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["state"], done["composition"], done["changed"]) == (before + 1, "ring", True)
    settled(nobody, seen)
    picture = nobody.get("/img/ring/hero/160.webp?metal=silver", follow_redirects=True)
    assert picture.content == shown
    assert live(anna)["changed"] == ["ring"]


def test_who_published_what_is_noted_before_and_after(anna):
    draft = darken(anna, begin(anna), 0.32)
    done = publish(anna, draft).json()
    after, before = activity(anna, subject="composition:ring")[:2]
    assert (after["action"], before["action"]) == ("release.published", "publish.begun")
    assert after["outcome_of"] == before["id"]
    assert (after["who"], after["details"]["draft"]) == ("anna", draft["id"])
    assert after["details"]["state"] == done["state"]


def test_what_was_published_is_announced_once(anna, service):
    draft = darken(anna, begin(anna), 0.33)
    done = publish(anna, draft).json()
    rows = fetch(service, "SELECT * FROM shop.outbox WHERE topic = 'release.published'")
    mine = [row for row in rows if draft["id"] in row["payload"]]
    assert len(mine) == 1
    assert done["release"] in mine[0]["payload"]


def fetch(service, statement):
    async def run():
        connection = await asyncpg.connect(service["database_url"])
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_an_untouched_draft_changes_nothing(anna):
    before = live(anna)["number"]
    done = publish(anna, begin(anna)).json()
    assert (done["changed"], done["state"]) == (False, before)


def test_a_published_draft_can_be_worked_on_and_published_again(anna):
    draft = darken(anna, begin(anna), 0.34)
    assert publish(anna, draft).json()["changed"]
    draft = darken(anna, read(anna, draft["id"]), 0.35)
    assert publish(anna, draft).json()["changed"]


def test_a_draft_whose_base_moved_on_is_refused_and_told_what_changed(anna, ben):
    mine, other = begin(anna), darken(ben, begin(ben), 0.36)
    done = publish(ben, other).json()
    mine = darken(anna, mine, 0.37)
    answer = publish(anna, mine)
    assert problem(answer) == (409, "base-moved")
    told = answer.json()
    assert (told["live"], told["base"], told["state"]) == (
        done["release"],
        mine["base"],
        done["state"],
    )
    assert {view["view"] for view in told["views"]} == {"hero", "top"}
    assert live(anna)["number"] == done["state"]
    assert publish(anna, mine, over="0" * 64).status_code == 409
    assert publish(anna, mine, over=told["live"]).json()["changed"]


def test_a_draft_that_another_changed_is_not_published_unseen(anna, ben):
    draft = begin(anna)
    darken(ben, draft, 0.38)
    assert problem(publish(anna, draft)) == (412, "draft-moved")
    answer = anna.post(address(draft, "publish"))
    assert problem(answer) == (428, "precondition-missing")


def test_a_draft_with_faults_is_not_published(anna):
    draft, before = begin(anna), live(anna)["number"]
    head = put(
        anna, draft, "assets", "band.png", json={"sha256": draft["assets"]["top.png"]}
    ).json()
    assert head["fault_count"] == 0
    answer = publish(anna, {**draft, **head})
    assert problem(answer) == (422, "invalid-draft")
    assert "views.hero.layers[1]" in answer.json()["detail"]
    assert live(anna)["number"] == before


def test_two_who_publish_different_compositions_at_once_both_do(anna, ben):
    drafts = [begin(anna, composition=f"at-once-{n}", like="ring") for n in range(4)]
    before, answers = live(anna)["number"], []
    threads = [
        threading.Thread(target=lambda d=draft: answers.append(publish(anna, d)))
        for draft in drafts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer.status_code for answer in answers]
    # Whoever is passed by others time and again is told; nothing is half done.
    assert set(done) <= {200, 412}
    assert done.count(200) >= 2
    after = live(anna)
    assert after["number"] == before + done.count(200)


def test_an_earlier_state_is_made_live_again_by_who_knows_what_is(anna, nobody):
    before = anna.get("/v1/releases/live")
    publish(anna, darken(anna, begin(anna), 0.39))
    stale = {"if-match": before.headers["etag"]}
    restore = f"/v1/releases/{before.json()['number']}/restore"
    assert problem(anna.post(restore)) == (428, "precondition-missing")
    assert problem(anna.post(restore, headers=stale)) == (412, "published-meanwhile")
    current = anna.get("/v1/releases/live")
    done = anna.post(restore, headers={"if-match": current.headers["etag"]}).json()
    assert done["state"] == current.json()["number"] + 1
    assert live(anna)["restores"] == before.json()["number"]
    assert activity(anna)[0]["action"] == "release.restored"


def test_releases_are_listed_newest_first_to_the_very_first(anna):
    publish(anna, darken(anna, begin(anna), 0.41))
    numbers, url = [], "/v1/releases?limit=2"
    while url:
        page = anna.get(url).json()
        numbers += [release["number"] for release in page["releases"]]
        url = page["next"]
    assert numbers == list(range(numbers[0], 0, -1))
    assert anna.get("/v1/releases?limit=1").json()["releases"][0]["live"]


@pytest.mark.parametrize("given", ["0", "999999", "x", "-1", "9" * 50])
def test_a_state_that_never_was_is_not_found(anna, given):
    assert problem(anna.get(f"/v1/releases/{given}")) == (404, "unknown-state")


def test_publishing_and_activity_are_for_who_may(server, ben, nobody):
    draft = begin(ben)
    assert publish(nobody, draft).status_code == 401
    with client_of(server, "reader") as reader:
        assert publish(reader, draft).status_code == 403
        assert reader.post("/v1/releases/1/restore").status_code == 403
    assert ben.get("/v1/activity").status_code == 403


def test_activity_is_listed_by_who_and_by_what(anna, ben):
    draft = begin(ben)
    put(ben, draft, json={"definition": {**draft["definition"], "title": "Ben's"}})
    mine = activity(anna, subject=f"draft:{draft['id']}")
    assert [entry["action"] for entry in mine] == ["draft.updated", "draft.created"]
    assert {entry["who"] for entry in activity(anna, who="ben")} == {"ben"}
    page = anna.get("/v1/activity", params={"limit": 1}).json()
    assert page["activity"][0]["id"] > anna.get(page["next"]).json()["activity"][0]["id"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE shop.activity SET who = 'nobody'",
        "DELETE FROM shop.activity",
        "TRUNCATE shop.activity",
    ],
)
def test_nobody_changes_what_was_noted(anna, service, statement):
    begin(anna)
    with pytest.raises(asyncpg.RaiseError, match="only added to"):
        fetch(service, statement)


@pytest.mark.parametrize(
    ("before_death", "end", "went_live"),
    [
        ("pass", "publish.failed", False),
        ("moved(self, data, expected)", "release.published", True),
    ],
)
def test_a_publisher_that_is_killed_leaves_one_state_or_the_other_and_its_name(
    postgres_18_server, sound, tmp_path, before_death, end, went_live
):
    settings = make_service(postgres_18_server, sound, tmp_path / "published")
    with run_server("", tmp_path, main=KILLED.format(before_death), **settings) as server:
        with client_of(server, "anna") as anna:
            draft = darken(anna, begin(anna), 0.5)
            with pytest.raises(httpx.TransportError):
                publish(anna, draft)
        server.process.wait(30)
        assert server.process.returncode == -signal.SIGKILL
    with run_server("", tmp_path, **settings) as server, client_of(server, "ben") as ben:
        number = ben.get("/v1/releases/live").json()["number"]
        assert number == (2 if went_live else 1)
        with client_of(server, "anna") as anna:
            if not went_live:
                # Until somebody publishes, it may yet come.
                assert activity(anna)[0]["action"] == "publish.begun"
                assert publish(ben, darken(ben, begin(ben), 0.6)).json()["changed"]
            (settled_,) = [
                one for one in activity(anna) if one["outcome_of"] and one["who"] == "anna"
            ]
            assert settled_["action"] == end
            assert settled_["details"]["draft"] == draft["id"]
            assert (
                len([e for e in activity(anna) if e["outcome_of"] == settled_["outcome_of"]]) == 1
            )
        rows = fetch(settings, "SELECT * FROM shop.outbox WHERE topic = 'release.published'")
        assert len(rows) == 1
