"""OpenTelemetry's own variables beside ours."""

import pytest

from render_service.environment import read_settings
from render_service.errors import InvalidSetting

COLLECTOR = "http://collector:4318"


def test_the_standard_variable_names_the_collector_where_ours_does_not():
    assert read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": f"{COLLECTOR}/"}).otlp_endpoint == (
        COLLECTOR
    )


@pytest.mark.parametrize("ours", ["", "http://other:4318"])
def test_ours_wins_where_both_are_given(ours):
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "RENDER_OTLP_ENDPOINT": ours}

    assert read_settings(given).otlp_endpoint == ours


def test_the_standard_switch_turns_the_standard_variables_off():
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_SDK_DISABLED": "true"}

    assert read_settings(given).otlp_endpoint == ""


def test_a_standard_variable_that_cannot_be_followed_stops_the_start_by_its_name():
    with pytest.raises(InvalidSetting, match=r"OTEL_TRACES_SAMPLER_ARG .* given '2'"):
        read_settings({"OTEL_TRACES_SAMPLER_ARG": "2"})


def test_other_variables_of_the_standard_are_let_pass():
    assert read_settings({"OTEL_SERVICE_NAME": "jewels"}) == read_settings({})


@pytest.mark.parametrize("address", ["same", "off", "0.0.0.0:9464", "[::]:9464", "localhost:1"])
def test_an_address_of_metrics_is_taken(address):
    given = {"RENDER_METRICS_ADDRESS": address}

    assert read_settings(given).metrics_address == address


@pytest.mark.parametrize("address", ["", "9464", ":9464", "host", "a b:1", "http://h:1"])
def test_what_is_no_address_is_refused_with_what_is(address):
    with pytest.raises(InvalidSetting, match="must be host:port, `same` as pictures, or `off`"):
        read_settings({"RENDER_METRICS_ADDRESS": address})
