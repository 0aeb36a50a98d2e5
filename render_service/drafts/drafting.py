"""Working on drafts: begun with what is live, changed part by part, read as what they come to.

The rule: whatever a draft says is kept, sound or not, and told what is wrong with it; nothing is
drawn or published of one with faults.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from render_service.composition.spell_definition import spell_definition, spell_materials
from render_service.drafts.documents import check_size
from render_service.drafts.editing import put_asset
from render_service.drafts.model import Begun, Document, Documents, Draft, Page, Place
from render_service.drafts.ports import DraftStore, Edit
from render_service.drafts.previewing import Previews
from render_service.drafts.reading import Reading, read_documents
from render_service.errors import AssetNotStored, InvalidBody, InvalidDraft, UnknownComposition
from render_service.planning.planner import Planner
from render_service.releases.making import Profiles
from render_service.releases.model import Release, asset_name
from render_service.releases.ports import ReleaseStore
from render_service.releases.reading import read_live_state, read_release

READINGS_HELD: Final = 16
"""Revisions kept ready: as many designers at once; one of 10,000 layers takes some 30 MB."""

_LOOKS_AT_ONCE: Final = 8
"""Looks into the store of releases for layer files, of one request."""

_SEEN_MAX: Final = 100_000
"""Layer files known to be stored: 10 MB. Nothing is ever removed from the store."""


class Beginning(Struct, frozen=True, kw_only=True):
    """How a draft is to begin.

    Attributes:
        composition: What it will be published as.
        like: The live composition that gives what is not given here; None: `composition`, if live.
        definition: None: that of `like`.
        materials: None: those of `like`.
        assets: Layer files beside, or instead of, those of `like`.
    """

    composition: str
    like: str | None = None
    definition: Document | None = None
    materials: Document | None = None
    assets: Mapping[str, str] = {}


class Ready(Struct, frozen=True, kw_only=True):
    """A draft, and what it comes to; `planner` is None where it has faults."""

    draft: Draft
    reading: Reading
    planner: Planner | None

    def sound(self) -> Planner:
        """Return who plans its pictures.

        Raises:
            InvalidDraft: It has faults.
        """
        if self.planner is None:
            raise InvalidDraft(self.reading.faults, self.reading.count)
        return self.planner


class Drafting:
    """The drafts of a service. Owned by one event loop."""

    def __init__(
        self, drafts: DraftStore, releases: ReleaseStore, *, profiles: Profiles, previews: Previews
    ) -> None:
        self.drafts, self.releases, self.previews = drafts, releases, previews
        self.profiles = profiles
        self._ready: OrderedDict[tuple[str, int], Ready] = OrderedDict()
        self._seen: set[str] = set()

    async def begin(self, asked: Beginning, who: str) -> Ready:
        """Keep a new draft; return it.

        Raises:
            UnknownComposition: `like` is not live.
            InvalidBody: Nothing is live to take the definition or the materials from.
            AssetNotStored: A digest is that of nothing that was uploaded.
            DraftTooLarge: It is more than is kept.
        """
        state = await read_live_state(self.releases)
        live = {} if state is None else state.releases
        like = asked.like or (asked.composition if asked.composition in live else None)
        source = None
        if like is not None:
            if like not in live:
                raise UnknownComposition(like, tuple(live))
            source = await read_release(self.releases, like, live[like])
            self._seen.update(source.assets.values())
        documents = _begin(asked, source)
        check_size(documents)
        await self.check_stored(asked.assets)
        begun = Begun(
            id=secrets.token_hex(8),
            composition=asked.composition,
            base=live.get(asked.composition),
            documents=documents,
        )
        return await self._read(await self.drafts.create(begun, who, self.previews.make()))

    async def get(self, draft: str) -> Ready:
        """Return a draft.

        Raises:
            UnknownDraft: There is none of that id.
        """
        return await self._read(await self.drafts.get(draft))

    async def show(self, draft: str, revision: int) -> Ready | None:
        """Return a revision of a draft if it still is the last one; from here, if it was read."""
        held = self._ready.get((draft, revision))
        if held is not None:
            self._ready.move_to_end((draft, revision))
            return held
        ready = await self.get(draft)
        return ready if ready.draft.revision == revision else None

    async def list_all(self, limit: int, after: Place | None) -> Page:
        """Return drafts, the last changed first."""
        return await self.drafts.list_all(limit, after)

    async def edit(self, draft: str, revision: int | None, edit: Edit, who: str) -> Ready:
        """Change a draft; return it as it then is.

        Raises:
            UnknownDraft: There is none of that id.
            DraftMoved: It has another revision.
        """
        changed = await self.drafts.change(draft, revision, edit, who, self.previews.make())
        return await self._read(changed)

    async def put_asset(
        self, draft: str, revision: int | None, name: str, asset: str, who: str
    ) -> Ready:
        """Give a draft a layer file that was uploaded; as `edit`.

        Raises:
            AssetNotStored: No such file was.
        """
        await self.check_stored({name: asset})
        return await self.edit(draft, revision, lambda held: put_asset(held, name, asset), who)

    async def open_preview(self, token: str) -> Ready | None:
        """Return the draft that an address of a preview shows; None where it shows nothing."""
        preview = self.previews.read(token)
        if preview is None:
            return None
        shown = await self.drafts.find_preview(preview)
        return None if shown is None else await self.show(shown.draft, shown.revision)

    async def renew_preview(self, draft: str, who: str) -> Ready:
        """Give a draft other addresses; return it.

        Raises:
            UnknownDraft: There is none of that id.
        """
        return await self._read(await self.drafts.set_preview(draft, self.previews.make(), who))

    async def revoke_preview(self, draft: str, who: str) -> None:
        """End the addresses of a draft.

        Raises:
            UnknownDraft: There is none of that id.
        """
        await self.drafts.set_preview(draft, None, who)

    async def check_stored(self, assets: Mapping[str, str]) -> None:
        """Refuse digests of files that were never put into the store.

        Raises:
            AssetNotStored: The first of them.
            ReleasesUnavailable: The store could not be asked.
        """
        at_once = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def look(name: str, asset: str) -> None:
            async with at_once:
                if not await self.releases.has(asset_name(asset)):
                    raise AssetNotStored(name, asset)
            if len(self._seen) < _SEEN_MAX:
                self._seen.add(asset)

        unknown = {asset: name for name, asset in assets.items() if asset not in self._seen}
        await asyncio.gather(*(look(name, asset) for asset, name in unknown.items()))

    async def close(self) -> None:
        """Let go of the store of releases."""
        await self.releases.close()

    async def _read(self, draft: Draft) -> Ready:
        key = (draft.id, draft.revision)
        held = self._ready.get(key)
        if held is not None:
            # What is no part of a revision may be another: its preview, its base.
            return Ready(draft=draft, reading=held.reading, planner=held.planner)
        reading = await asyncio.to_thread(read_documents, draft.composition, draft.documents)
        planner = None
        if reading.catalogue is not None:
            planner = Planner(reading.catalogue, self.profiles)
        self._ready[key] = Ready(draft=draft, reading=reading, planner=planner)
        if len(self._ready) > READINGS_HELD:
            self._ready.popitem(last=False)
        return self._ready[key]


def _begin(asked: Beginning, source: Release | None) -> Documents:
    definition, materials = asked.definition, asked.materials
    if source is None and (definition is None or materials is None):
        missing = "definition" if definition is None else "materials"
        raise InvalidBody(
            f"{missing}: missing, and {asked.composition!r} is not live to take it from; give it, "
            "or name a composition that is live in `like`.",
            errors=[{"field": missing, "problem": "missing"}],
        )
    if source is not None:
        # Its tone is called after itself, and so is named by what was written for it.
        definition = spell_definition(source.composition) if definition is None else definition
        materials = spell_materials(source.composition) if materials is None else materials
    return Documents(
        definition=definition or {},
        materials=materials or {},
        qualities=source.composition.qualities if source else (),
        assets={**(source.assets if source else {}), **asked.assets},
    )
