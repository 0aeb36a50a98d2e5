"""What is live is spelled as a definition that is read back as the same composition."""

from pathlib import Path

import msgspec
import pytest

from render_service.adapters.catalogue_folder import load_catalogue
from render_service.composition.materials import Law
from render_service.composition.spell_definition import spell_definition, spell_materials
from render_service.drafts.model import Documents
from render_service.drafts.reading import read_documents
from tests.http.catalogue import write_catalogue
from tests.http.server import COMPOSITIONS

GRADIENT = """
[bases.enamel]
law = "gradient"

[materials.enamel.sea]
title = "Sea"
stops = [[0.0, "#001133"], [0.5, "#7f9abc"], [1.0, "#ffffff"]]
source = "test"
"""

NO_RULE = ('all = { metal = "silver", gem = "sapphire" }', 'all = { background = "transparent" }')
PAINTED = ('asset = "stone-{gem}.png"', 'asset = "stone-ruby.png"\npaint = "gem"')

FAMILY = """
[materials.metal.{name}]
title = "{name}"
family = "{family}"
value = [0.9, 0.9, 0.9]
source = "test"
"""


def spelled_and_read(catalogue):
    """Through JSON, as it is kept."""
    (composition,) = catalogue.compositions.values()
    documents = Documents(
        definition=through_json(spell_definition(composition)),
        materials=through_json(spell_materials(composition)),
        qualities=composition.qualities,
        assets=catalogue.assets[composition.id],
    )
    reading = read_documents(composition.id, documents)
    assert reading.faults == ()
    return composition, reading.catalogue.compositions[composition.id]


def through_json(document):
    return msgspec.json.decode(msgspec.json.encode(document))


def load(folder, materials="", *changes):
    write_catalogue(folder)
    path = folder / "materials.toml"
    path.write_text(path.read_text() + materials)
    path = folder / "ring" / "composition.toml"
    for change in changes:
        path.write_text(path.read_text().replace(*change))
    return load_catalogue(Path(folder)).catalogue


def test_the_demo_is_the_same_to_the_byte():
    composition, again = spelled_and_read(load_catalogue(COMPOSITIONS).catalogue)
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(composition)


def test_a_gradient_is_the_same(tmp_path):
    painted = 'title = "Stone"\nmaterial = "enamel"\ndefault = "sea"'
    plain = 'title = "Stone"\nvalues = ["ruby", "sapphire"]\ndefault = "ruby"'
    catalogue = load(tmp_path, GRADIENT, (plain, painted), NO_RULE, PAINTED)
    composition, again = spelled_and_read(catalogue)
    assert composition.options["gem"].basis.law is Law.GRADIENT
    assert again == composition


@pytest.mark.parametrize(("family", "kept"), [("white", True), ("palladium", False)])
def test_a_family_stands_for_all_it_stood_for_or_is_left_out(tmp_path, family, kept):
    materials = "".join(FAMILY.format(name=n, family=family) for n in ("palladium", "rhodium"))
    composition, again = spelled_and_read(load(tmp_path, materials))
    found = {value.id: value.material.family for value in again.options["metal"].values}
    assert (found["palladium"] == family) == kept
    assert again.options["metal"].ids == composition.options["metal"].ids
