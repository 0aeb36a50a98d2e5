"""The JSON API of a draft beside what is live."""

from litestar import Controller, Response, post

from render_service.auth.scopes import Scope
from render_service.drafts.comparing import Difference, compare_draft, only
from render_service.drafts.drafting import Drafting, Ready
from render_service.drafts.studio import DraftStudio
from render_service.http.access import requires
from render_service.http.asked import refuse_query
from render_service.http.compositions import Asked
from render_service.http.draft_schemas import (
    ComparedPicture,
    DifferenceOut,
    DiffIn,
    KeyOut,
    ViewChangeOut,
)
from render_service.http.drafted import check_draft_id, read_json_or_nothing
from render_service.http.drafts import NOT_KEPT
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.url import build_image_path, build_preview_path
from render_service.releases.changes import Pair


class Comparison(Controller):
    """Where a draft is compared with what is live."""

    path = "/v1/drafts/{draft:str}/diff"
    tags = ("Drafts",)
    guards = (requires(Scope.CATALOGUE_WRITE),)

    @post(status_code=200, summary="Compare a draft with what is live")
    async def compare(
        self,
        request: Asked,
        draft: str,
        drafting: Drafting,
        draft_studio: DraftStudio,
        planner: Planner,
        public_url: str,
    ) -> Response[DifferenceOut]:
        """What publishing it would change: views, values, keys, and pictures before and after."""
        refuse_query(request.scope["query_string"])
        asked: DiffIn = await read_json_or_nothing(request, DiffIn)
        ready = await drafting.get(check_draft_id(draft))
        new, name = ready.sound(), ready.draft.composition
        old = only(planner, name)
        found = await draft_studio.run(
            lambda: compare_draft(
                name, old, new, width_px=asked.width, pictures=asked.pictures, keys=asked.keys
            )
        )
        preview = ready.draft.preview
        token = None if preview is None else drafting.previews.spell(preview)
        shown = _difference(ready, found, public_url, token)
        return Response(content=shown, headers=NOT_KEPT)


def _difference(
    ready: Ready, found: Difference, public_url: str, token: str | None
) -> DifferenceOut:
    change = found.change
    return DifferenceOut(
        composition=change.composition,
        revision=ready.draft.revision,
        base=ready.draft.base,
        status=change.status,
        values_added={option: list(values) for option, values in change.values_added.items()},
        values_gone={option: list(values) for option, values in change.values_gone.items()},
        views=[
            ViewChangeOut(
                view=view.view,
                old=view.old,
                new=view.new,
                changed=view.changed if found.complete else None,
                kept=view.kept if found.complete else None,
                added=view.added if found.complete else None,
                gone=view.gone if found.complete else None,
            )
            for view in change.views
        ],
        complete=found.complete,
        pictures=[_picture(pair, public_url, token) for pair in found.pairs],
        keys=[KeyOut(path=key.path, old=key.old, new=key.new) for key in found.keys],
    )


def _picture(pair: Pair, public_url: str, token: str | None) -> ComparedPicture:
    shown: PlannedImage = pair.new or pair.old  # type: ignore[assignment]  # one of them is there
    before = None if pair.old is None else public_url + build_image_path(pair.old.image)
    after = None
    if pair.new is not None and token is not None:
        after = public_url + build_preview_path(token, pair.new.image)
    return ComparedPicture(
        view=shown.image.view,
        configuration=dict(shown.image.selection),
        before=before,
        after=after,
    )
