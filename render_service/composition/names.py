"""What a definition may name: its options and their values, while it is being read.

An option with faults of its own may be named freely: its faults are noted once, where they are, and
not again by everything that names it.
"""

from collections.abc import Collection, Mapping

from render_service.composition.faults import Faults
from render_service.composition.materials import Materials
from render_service.composition.model import Condition, Option


class Names:
    """The options read so far.

    Attributes:
        faults: Where unknown names are noted.
        materials: What options may be made of.
        options: By id, in the order of the definition.
        unread: Options that could not be read.
        unread_materials: Places of `materials.toml` that could not be read: what is not found there
            is not known to be missing.
    """

    def __init__(
        self, faults: Faults, materials: Materials, unread_materials: Collection[str] = ()
    ) -> None:
        self.faults, self.materials = faults, materials
        self.unread_materials = unread_materials
        self.options: dict[str, Option] = {}
        self.unread: set[str] = set()

    def knows(self, option: str, table: str, key: str) -> bool:
        """Return whether `option` may be used; note a fault where it was never defined."""
        if option in self.unread:
            return False
        return self.faults.check_known(table, key, option, self.options, "an option")

    def condition(
        self, given: Mapping[str, str | tuple[str, ...]], table: str, key: str
    ) -> Condition:
        """Return `given` with every choice as value ids; what is unknown is noted and left out."""
        condition = {}
        for option, choice in given.items():
            if self.knows(option, table, key):
                values = (choice,) if isinstance(choice, str) else choice
                condition[option] = self._expand(option, values, table, f"{key}.{option}")
        return condition

    def _expand(
        self, option: str, values: tuple[str, ...], table: str, key: str
    ) -> tuple[str, ...]:
        """Return value ids, in the option's order, a family standing for its members on offer."""
        offered, basis = self.options[option].ids, self.options[option].basis
        families = self.materials.families(basis.id) if basis else {}
        known = (*offered, *families)
        wanted: set[str] = set()
        for value in values:
            if value in families:
                wanted.update(families[value])
            elif self.faults.check_known(table, key, value, known, f"a value of {option}"):
                wanted.add(value)
        found = tuple(value for value in offered if value in wanted)
        if wanted and not found:
            self.faults.add(table, key, f"none of {', '.join(sorted(wanted))} is on offer")
        return found


def spoken(name: str) -> str:
    """Return an id as a title: `emerald-cut` → `Emerald cut`."""
    return name.replace("-", " ").capitalize()
