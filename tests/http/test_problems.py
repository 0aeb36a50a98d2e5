import json
import logging
import re

import pytest

from render_service import errors
from render_service.http.problem_pages import PAGES
from render_service.http.problem_rows import QUERY_ROW, ROWS, STATUS_ROWS
from render_service.http.problems import INSTANCE_LENGTH_MAX, describe_error, describe_status

ROOT = errors.RenderServiceError


def leaves(kind):
    below = kind.__subclasses__()
    return {leaf for one in below for leaf in leaves(one)} if below else {kind}


def test_every_error_a_caller_can_see_has_a_row():
    assert leaves(ROOT) == set(ROWS)


def test_no_error_is_a_success():
    assert all(row.status >= 400 for row in ROWS.values())


def test_no_error_is_immutable():
    assert not any("immutable" in row.cache_control for row in ROWS.values())


@pytest.mark.parametrize("status", [500, 502, 503])
def test_what_is_our_own_fault_is_never_cached(status):
    rows = [row for row in ROWS.values() if row.status == status]
    assert {row.cache_control for row in rows} == {"no-store"}


def test_a_problem_has_the_members_of_the_standard():
    problem = describe_error(errors.UnknownOption("ring", "size", ["metal"]), "/r/x")
    members = json.loads(problem.body)
    assert members["type"] == "/problems/unknown-option"
    assert members["title"] == "Unknown option"
    assert members["status"] == problem.status == 422
    assert members["instance"] == "/r/x"
    assert "size" in members["detail"]


def test_a_problem_has_what_a_program_can_use():
    error = errors.ForbiddenConfiguration([({"metal": "silver"}, "Not so.")], {"metal": "gold"})
    members = json.loads(describe_error(error, "/").body)
    assert members["conflicts"] == [{"all": {"metal": "silver"}, "reason": "Not so."}]
    assert members["nearest"] == {"metal": "gold"}


def test_facts_do_not_hide_the_members_of_the_standard():
    error = errors.InvalidBody("Wrong.", status="broken", title="mine")
    members = json.loads(describe_error(error, "/").body)
    assert (members["status"], members["title"]) == (400, "Invalid body")


def test_a_full_queue_says_when_to_come_back():
    problem = describe_error(errors.Overloaded(7), "/r/x")
    assert problem.status == 503
    assert ("retry-after", "7") in problem.headers


@pytest.mark.parametrize(
    "error", [ValueError("password=hunter2"), errors.RenderFailed("at /srv/secret/place")]
)
def test_an_error_of_our_own_leaks_nothing_and_logs_one_line(error, caplog):
    with caplog.at_level(logging.DEBUG):
        problem = describe_error(error, "/r/x")
    members = json.loads(problem.body)
    assert problem.status == 500
    assert str(error) not in problem.body.decode()
    assert len(caplog.records) == 1
    assert members["incident"] in caplog.records[0].getMessage()


def test_a_path_cannot_forge_a_line_of_the_log(caplog):
    with caplog.at_level(logging.DEBUG):
        describe_error(ValueError("x"), "/r/x\nERROR forged")
    assert "\n" not in caplog.records[0].getMessage()


def test_an_asset_failure_names_the_file(caplog):
    problem = describe_error(errors.AssetMissing("ring/band.png", "is gone"), "/r/x")
    assert problem.status == 502
    assert json.loads(problem.body)["asset"] == "ring/band.png"


def test_a_plain_status_is_a_problem_too():
    problem = describe_status(405, "No.", "/x", {"allow": "GET"})
    assert ("allow", "GET") in problem.headers
    assert json.loads(problem.body)["title"] == "Method not allowed"


def test_every_kind_of_problem_has_its_page():
    rows = [*ROWS.values(), QUERY_ROW, *(row for row, _ in STATUS_ROWS.values())]
    assert {row.slug for row in rows} == set(PAGES)


def test_each_kind_of_problem_has_one_title_and_one_status():
    rows = {*ROWS.values(), QUERY_ROW, *(row for row, _ in STATUS_ROWS.values())}
    assert len({row.slug for row in rows}) == len({(row.slug, row.status) for row in rows})


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/r/a b", "/r/a%20b"),
        ("/r/%", "/r/%25"),
        ("/r/%41%zz", "/r/%41%25zz"),
        ('/r/"<>\\^`{|}', "/r/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("/r/\n", "/r/%0A"),
        ("/r/\xe9", "/r/%C3%A9"),
    ],
)
def test_the_instance_is_a_uri_reference(path, instance):
    members = json.loads(describe_status(404, "No.", path).body)
    assert members["instance"] == instance


@pytest.mark.parametrize("shift", range(3))
def test_an_instance_is_cut_between_two_characters(shift):
    path = "/" + "x" * shift + "%41" * INSTANCE_LENGTH_MAX
    instance = json.loads(describe_status(404, "No.", path).body)["instance"]
    assert len(instance) <= INSTANCE_LENGTH_MAX
    assert re.fullmatch("/x*(%41)+", instance)
