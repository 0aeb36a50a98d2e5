"""What a service has used so far, by its own `/metrics`: all its processes, whichever answers.

The rule: a figure is the difference of two readings, so that what a start took is in none.
"""

import urllib.request
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_S: Final = 20.0


class Used(Struct, frozen=True, kw_only=True):
    """A reading, or the difference of two.

    Attributes:
        renders: Pictures that were drawn.
        processor_s: Seconds of processor time.
    """

    renders: int
    processor_s: float

    def since(self, before: "Used") -> "Used":
        """Return what was used between `before` and this reading."""
        return Used(
            renders=self.renders - before.renders,
            processor_s=self.processor_s - before.processor_s,
        )


def read_used(url: str) -> Used:
    """Return what the service at `url`, on this machine, has used.

    Raises:
        OSError: It did not answer.
    """
    with urllib.request.urlopen(f"{url}/metrics", timeout=_TIMEOUT_S) as answer:  # noqa: S310
        text = answer.read().decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]

    def total(name: str) -> float:
        return sum(sample.value for sample in samples if sample.name == name)

    return Used(
        renders=round(total("render_service_renders_total")),
        processor_s=total("process_cpu_time_seconds_total"),
    )
