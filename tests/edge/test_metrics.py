"""What is for whoever watches from inside does not pass a real edge."""

import httpx
import pytest


@pytest.mark.parametrize("url", ["/metrics", "/metrics?a=1", "/%6detrics"])
def test_metrics_stay_behind_the_edge(site, url):
    answer = site.get(url)

    assert answer.status_code == 404
    assert "http_server" not in answer.text


def test_the_service_behind_it_has_them(site):
    assert httpx.get(f"{site.origin.url}/metrics").status_code == 200
