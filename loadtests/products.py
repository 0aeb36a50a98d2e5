"""What the JSON API says of a product, as far as traffic needs it.

The rule: addresses of pictures come from the service (a `srcset` of `resolve`, a URL template of
the manifest), and none is made up here.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from loadtests.devices import Browser


class View(Struct, frozen=True, kw_only=True):
    """A picture of a product.

    Attributes:
        id: As in URLs.
        options: The options it depends on, in the order of its URLs.
        widths_px: On offer, narrowest first.
        url_template: With `{configuration}`, `{width}` and `{format}` to fill in.
    """

    id: str
    options: tuple[str, ...]
    widths_px: tuple[int, ...]
    url_template: str

    def width_for(self, wanted_px: float) -> int:
        """Return the narrowest width that is sharp on `wanted_px` screen pixels, or the widest."""
        return next((w for w in self.widths_px if w >= wanted_px), self.widths_px[-1])


class Product(Struct, frozen=True, kw_only=True):
    """Something to configure.

    Attributes:
        id: As in URLs.
        values: Option → its values, both in the order of the page.
        defaults: Option → the value it has at first.
        views: In the order of the page; the first is shown large.
        formats: On offer, as in URLs.
        rules: Combinations that are not made: option → values that may not meet.
        takes_hints: Whether `resolve` takes what is shown and was changed, to draw ahead.
    """

    id: str
    values: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, str]
    views: tuple[View, ...]
    formats: tuple[str, ...]
    rules: tuple[Mapping[str, tuple[str, ...]], ...]
    takes_hints: bool = False

    def is_made(self, configuration: Mapping[str, str]) -> bool:
        """Whether no rule of the manifest forbids it."""
        return not any(
            all(configuration[option] in values for option, values in rule.items())
            for rule in self.rules
        )

    def configurations(self) -> Iterator[dict[str, str]]:
        """Yield every configuration that is made, the last option changing first."""
        for chosen in itertools.product(*self.values.values()):
            configuration = dict(zip(self.values, chosen, strict=True))
            if self.is_made(configuration):
                yield configuration


def read_product(manifest: Mapping[str, Any]) -> Product:
    """Return what a manifest, `GET /v1/compositions/{id}`, says."""
    options = manifest["options"]
    return Product(
        id=manifest["id"],
        values={option["id"]: tuple(v["id"] for v in option["values"]) for option in options},
        defaults={option["id"]: option["default"] for option in options},
        views=tuple(_view(view) for view in manifest["views"]),
        formats=tuple(manifest["formats"]),
        rules=tuple(
            {option: tuple(values) for option, values in rule["all"].items()}
            for rule in manifest["rules"]
        ),
        # What draws ahead lists neighbours in its manifests; to any other a hint is a wrong field.
        takes_hints="neighbours" in manifest,
    )


def _view(view: Mapping[str, Any]) -> View:
    return View(
        id=view["id"],
        options=tuple(view["options"]),
        widths_px=tuple(view["widths"]),
        url_template=view["url_template"],
    )


def fill_template(
    view: View, configuration: Mapping[str, str], width_px: int, file_format: str
) -> str:
    """Return the immutable URL of a picture, as the manifest says it is spelled."""
    chosen = ",".join(f"{option}={configuration[option]}" for option in view.options) or "-"
    return (
        view.url_template.replace("{configuration}", chosen)
        .replace("{width}", str(width_px))
        .replace("{format}", file_format)
    )


def pick_source(image: Mapping[str, Any], browser: Browser, wanted_px: float) -> str:
    """Return the URL that a browser takes of a `<picture>` made from `image` of `resolve`.

    The first `<source>` whose type it can show, then the narrowest picture that is sharp, or the
    widest of all (HTML leaves the choice to the browser; Chromium does so on a fast line).

    Args:
        image: A view in `images` of the answer.
        browser: Who picks.
        wanted_px: Screen pixels to fill.
    """
    srcset: str = next(
        (source["srcset"] for source in image["sources"] if source["type"] in browser.types),
        image["srcset"],
    )
    offered: list[tuple[int, str]] = []
    for entry in srcset.split(", "):
        url, _, width = entry.rpartition(" ")
        offered.append((int(width.removesuffix("w")), url))
    offered.sort()
    return next((url for width, url in offered if width >= wanted_px), offered[-1][1])
