import dataclasses

import pytest

from render_service.environment import environment_of, read_settings
from render_service.errors import InvalidSetting
from render_service.settings import LogLevel, Settings
from render_service.settings_table import describe, settings_markdown

URL_WITH_PASSWORD = "redis://:hunter2@cache.example/0"  # noqa: S105  # nobody's


def refusal(**environ: str) -> str:
    with pytest.raises(InvalidSetting) as refused:
        read_settings(environ)
    return str(refused.value)


def test_an_empty_environment_gives_the_defaults():
    assert read_settings({}) == Settings()


def test_variables_of_other_programs_are_left_alone():
    assert read_settings({"PATH": "/bin", "render_port": "x", "XRENDER_PORT": "x"}) == Settings()


def test_values_are_read_as_the_type_of_their_field():
    given = {
        "RENDER_CATALOGUE": "/srv/compositions",
        "RENDER_PORT": "0",
        "RENDER_PUBLIC_URL": "https://img.example/rings",
        "RENDER_GRACEFUL_STOP_S": "2.5",
        "RENDER_LOG_LEVEL": "DEBUG",
    }

    settings = read_settings(given)

    assert settings.catalogue == "/srv/compositions"
    assert settings.port == 0
    assert settings.public_url == "https://img.example/rings"
    assert settings.graceful_stop_s == 2.5
    assert settings.log_level is LogLevel.DEBUG


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1


def test_an_unknown_variable_is_refused_with_the_name_that_was_meant():
    assert refusal(RENDER_PROT="1") == "RENDER_PROT is not a setting; did you mean RENDER_PORT?"


def test_an_unknown_variable_that_resembles_none_is_refused_with_all_names():
    assert "RENDER_LOG_LEVEL" in refusal(RENDER_QQQQ="")


@pytest.mark.parametrize(
    ("variable", "given", "allowed"),
    [
        ("RENDER_PORT", "70000", "0 to 65535"),
        ("RENDER_PORT", "-1", "0 to 65535"),
        ("RENDER_PORT", "", "0 to 65535"),
        ("RENDER_WORKERS", "two", "1 to 64"),
        ("RENDER_WORKERS", "1.5", "1 to 64"),
        ("RENDER_GRACEFUL_STOP_S", "nan", "0 to 3600, decimals allowed"),
        ("RENDER_GRACEFUL_STOP_S", "inf", "0 to 3600, decimals allowed"),
        ("RENDER_PUBLIC_URL", "ftp://example", "http(s)://… in ASCII, without a final /"),
        ("RENDER_PUBLIC_URL", "https://example/", "http(s)://… in ASCII, without a final /"),
        ("RENDER_HOST", "", "a name or address"),
        ("RENDER_DATA", "", "a path"),
        ("RENDER_LOG_LEVEL", "loud", "debug, info, warning, error"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_its_name_range_and_what_was_given(
    variable: str, given: str, allowed: str
):
    message = refusal(**{variable: given})

    assert message.startswith(variable)
    assert f"must be {allowed}; given {given!r}." in message


def test_everything_wrong_is_listed_at_once():
    lines = refusal(RENDER_PORT="x", RENDER_PROT="1", RENDER_WORKERS="0").splitlines()

    assert [line.split()[0] for line in lines] == ["RENDER_PORT", "RENDER_PROT", "RENDER_WORKERS"]


def test_a_long_value_is_cut_in_the_message():
    assert len(refusal(RENDER_PORT="9" * 10_000)) < 200


def test_every_default_is_a_value_that_its_own_setting_allows():
    written = {row.name: row.value for row in describe(Settings())}

    assert read_settings(written) == Settings()


def test_every_setting_says_its_unit_range_and_meaning():
    for row in describe(Settings()):
        assert row.unit, row.name
        assert row.range, row.name
        assert row.meaning, row.name


def test_the_table_shows_the_value_now_beside_the_default():
    rows = {row.name: row for row in describe(read_settings({"RENDER_PORT": "9000"}))}

    assert (rows["RENDER_PORT"].value, rows["RENDER_PORT"].default) == ("9000", "8000")


def test_the_docs_have_a_row_for_every_setting():
    for row in describe(Settings()):
        assert f"| `{row.name}` |" in settings_markdown()


def test_variables_that_kubernetes_sets_for_a_service_of_our_name_are_not_ours():
    environ = {
        "RENDER_SERVICE_PORT": "tcp://10.0.0.1:80",
        "RENDER_SERVICE_SERVICE_HOST": "10.0.0.1",
    }

    assert read_settings(environ) == read_settings({})


@pytest.mark.parametrize(
    "url", ["http://\u65e5\u672c.example", "http://x;y", "http://x>y", "http://x,y", "http://x/a b"]
)
def test_a_public_url_that_would_break_a_header_is_refused(url):
    with pytest.raises(InvalidSetting, match="RENDER_PUBLIC_URL"):
        read_settings({"RENDER_PUBLIC_URL": url})


def test_a_secret_is_neither_shown_nor_repeated_when_it_is_refused():
    rows = {
        row.name: row for row in describe(read_settings({"RENDER_REDIS_URL": URL_WITH_PASSWORD}))
    }

    assert rows["RENDER_REDIS_URL"].value == "(set; not shown)"
    assert "hunter2" not in refusal(
        RENDER_REDIS_URL=URL_WITH_PASSWORD.replace("redis://", "http://")
    )


def test_an_environment_made_of_settings_reads_back_as_the_same():
    settings = read_settings({"RENDER_REDIS_URL": URL_WITH_PASSWORD, "RENDER_WORKERS": "3"})

    assert read_settings(environment_of(settings)) == settings


def test_the_database_is_found_by_the_variable_that_everybody_sets():
    url = "postgresql://shop@db/shop"
    assert read_settings({"DATABASE_URL": url}).database_url == url
    assert read_settings({"DATABASE_URL": url, "OTEL_SDK_DISABLED": "true"}).database_url == url
    assert read_settings({"DATABASE_URL": url, "RENDER_DATABASE_URL": ""}).database_url == ""


def test_a_database_of_another_kind_is_refused_and_its_address_not_shown():
    with pytest.raises(InvalidSetting, match=r"DATABASE_URL .*postgresql://") as refused:
        read_settings({"DATABASE_URL": "mysql://shop:secret@db/shop"})
    assert "secret" not in str(refused.value)
