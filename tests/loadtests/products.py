"""Products to shop for, without a server: the ring of the demo, and a chain with one option."""

from loadtests.products import Product, View

METALS = ("yellow-gold", "white-gold", "rose-gold", "platinum", "silver", "rhodium")
GEMS = ("diamond", "ruby", "sapphire", "emerald", "aquamarine", "amethyst")
TEMPLATE = "/r/ring/{view}/0123456789/{{configuration}}/{{width}}.{{format}}"


def make_view(name, options):
    return View(
        id=name,
        options=options,
        widths_px=(160, 320, 640, 800, 1080, 1280, 1600),
        url_template=TEMPLATE.format(view=name),
    )


RING = Product(
    id="ring",
    values={"metal": METALS, "gem": GEMS, "band": ("plain", "pave"), "engraved": ("no",)},
    defaults={"metal": "yellow-gold", "gem": "diamond", "band": "plain", "engraved": "no"},
    views=(make_view("hero", ("metal", "gem", "band")), make_view("top", ("metal",))),
    formats=("avif", "webp", "jpg", "png"),
    rules=({"metal": ("rhodium",), "band": ("pave",)},),
)

CHAIN = Product(
    id="chain",
    values={"metal": METALS},
    defaults={"metal": "yellow-gold"},
    views=(make_view("hero", ("metal",)),),
    formats=("webp",),
    rules=(),
)
