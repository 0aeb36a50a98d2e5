"""What may be done, by name: each route that needs more than being reachable names one of these."""

from enum import StrEnum

from msgspec import Struct


class Scope(StrEnum):
    """A right. Whoever has one has it for all of the catalogue.

    CATALOGUE_WRITE: Products, rates and drafts of compositions: reading what is not on sale, and
        writing.
    ASSET_WRITE: Uploads of layer files and photographs.
    RELEASE_PUBLISH: Making a release live, or an earlier one again.
    JOBS_READ: Everybody's background work.
    ADMIN: Webhooks, other people's jobs, and what was done by whom.
    """

    CATALOGUE_WRITE = "catalogue:write"
    ASSET_WRITE = "asset:write"
    RELEASE_PUBLISH = "release:publish"
    JOBS_READ = "jobs:read"
    ADMIN = "admin"


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        name: As operators named them, and as what they did is noted; "" is anybody.
        scopes: What they may do.
    """

    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Return whether they have the right."""
        return scope in self.scopes


NOBODY = Caller(name="", scopes=frozenset())
"""A caller who does not say who they are."""
