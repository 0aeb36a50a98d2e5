"""A document → a product that can be sold, or everything that is wrong with it.

The one way to a product that is kept, whoever sends it: a request, a file, a row of an import.
"""

from collections.abc import Mapping

from render_service.composition.catalogue import Catalogue
from render_service.errors import FieldFault, InvalidProduct
from render_service.products.check import check_product
from render_service.products.model import Product
from render_service.products.parse import read_product


def accept(raw: object, catalogue: Catalogue, product_id: str | None = None) -> Product:
    """Return the product that `raw`, a JSON document already decoded, describes.

    Args:
        raw: The document.
        catalogue: What is live: it draws every composition that may be named.
        product_id: Whose document it is to be; None where it says so itself.

    Raises:
        InvalidProduct: Carries every fault found. Those of meaning are looked for once every field
            can be read.
    """
    product = read_product(raw)
    faults = list(_id_faults(product, product_id))
    composition = catalogue.compositions.get(product.composition)
    if composition is None:
        fault = FieldFault(
            field="composition",
            given=product.composition[:200],
            problem="is no composition that is live",
            offered=tuple(catalogue.compositions),
        )
        raise InvalidProduct([*faults, fault])
    faults += check_product(product, composition)
    if faults:
        raise InvalidProduct(faults)
    return product


def merge_patch(document: object, patch: object) -> object:
    """Return `document` changed by a JSON Merge Patch (RFC 7396, section 2): null removes."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _id_faults(product: Product, product_id: str | None) -> list[FieldFault]:
    if product_id is None or product.id == product_id:
        return []
    problem = "is not the one in the address"
    return [FieldFault(field="id", given=product.id, problem=problem, offered=(product_id[:200],))]
