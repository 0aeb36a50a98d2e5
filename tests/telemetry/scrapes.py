"""What a scrape says, read by Prometheus' own parser."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

DURATION_COUNT = "http_server_request_duration_seconds_count"


class Scraped:
    """The samples of one scrape."""

    def __init__(self, text):
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def total(self, name, **labels):
        """The sum of the samples of that name with those labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def scrape(url):
    return Scraped(httpx.get(f"{url}/metrics").raise_for_status().text)


def picture_of(url, width=160, metal="gold", extension="webp"):
    """The canonical path of a picture of the test catalogue."""
    views = httpx.get(f"{url}/v1/compositions/ring").json()["views"]
    (version,) = (view["version"] for view in views if view["id"] == "hero")
    return f"/r/ring/hero/{version}/metal={metal},gem=ruby,background=white/{width}.{extension}"
