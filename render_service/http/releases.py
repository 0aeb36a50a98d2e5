"""The JSON API of publishing: drafts made live, states listed and restored, and who did what.

Nothing here draws or decides: it says what was asked for, and shows what came of it.
"""

from typing import Final
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.openapi.datastructures import ResponseSpec

from render_service.auth.scopes import Caller, Scope
from render_service.drafts.activity import Entry, Sought
from render_service.drafts.drafting import Drafting
from render_service.drafts.publishing import Asked as AskedPublication
from render_service.drafts.publishing import Published, Publishing
from render_service.drafts.warming import order_of
from render_service.http.access import requires
from render_service.http.asked import refuse_query
from render_service.http.compositions import Asked
from render_service.http.drafted import (
    Number,
    check_draft_id,
    read_cursor,
    read_json_or_nothing,
    read_limit,
    read_query,
    read_revision,
    read_text,
    spell_cursor,
)
from render_service.http.drafts import LIST_KEYS, NOT_KEPT
from render_service.http.job_schemas import JobOut, describe_job
from render_service.http.release_schemas import (
    ActivityList,
    ActivityOut,
    PublishedOut,
    PublishIn,
    ReleaseList,
    ReleaseOut,
)
from render_service.jobs.ports import JobStore
from render_service.releases.changes import Change
from render_service.releases.history import list_changes, read_change

_ORDERED: Final = "It is drawn first, and published by the job"
ACTIVITY_KEYS: Final = ("limit", "cursor", "who", "subject")


class Publication(Controller):
    """Where a draft goes live."""

    path = "/v1/drafts/{draft:str}/publish"
    tags = ("Releases",)
    guards = (requires(Scope.RELEASE_PUBLISH),)

    @post(
        status_code=200,
        summary="Publish a draft",
        responses={202: ResponseSpec(data_container=JobOut, description=_ORDERED)},
    )
    async def publish(
        self,
        request: Asked,
        draft: str,
        caller: Caller,
        publishing: Publishing,
        jobs: JobStore,
        public_url: str,
    ) -> Response[PublishedOut | JobOut]:
        """Whole or not at all, after its check; over the release that it began with."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        body: PublishIn = await read_json_or_nothing(request, PublishIn)
        asked = AskedPublication(
            draft=check_draft_id(draft), revision=revision, over=body.over, who=caller.name
        )
        if not body.warm:
            return Response(content=_published(await publishing.publish(asked)), headers=NOT_KEPT)
        # What is refused is refused at once, and not by a job that fails.
        ready = await publishing.prepare(asked)
        job = await jobs.order(order_of(asked, ready.draft.revision))
        shown = describe_job(job, public_url)
        headers = {**NOT_KEPT, "location": shown.href}
        return Response(content=shown, status_code=202, headers=headers)


class Releases(Controller):
    """Routes under `/v1/releases`."""

    path = "/v1/releases"
    tags = ("Releases",)

    @get(summary="List the states that were live", guards=[requires(Scope.CATALOGUE_WRITE)])
    async def list_all(
        self, request: Asked, drafting: Drafting, public_url: str
    ) -> Response[ReleaseList]:
        """Newest first, each with what it changed. `limit` (20, at most 100) and `cursor`."""
        asked = read_query(request, LIST_KEYS)
        limit, before = read_limit(asked), read_cursor(asked, Number)
        changes, live = await list_changes(drafting.releases, limit=limit, before=before)
        following = None
        if changes and changes[-1].number > 1:
            query = urlencode({**asked, "cursor": spell_cursor(changes[-1].number)})
            following = f"{public_url}/v1/releases?{query}"
        listed = [_release(change, live) for change in changes]
        return Response(content=ReleaseList(releases=listed, next=following), headers=NOT_KEPT)

    @get("/{release:str}", summary="A state", guards=[requires(Scope.CATALOGUE_WRITE)])
    async def show(self, request: Asked, release: str, drafting: Drafting) -> Response[ReleaseOut]:
        """By its number, or `live`; the ETag is the number of the live one, for a restore."""
        refuse_query(request.scope["query_string"])
        change, live = await read_change(drafting.releases, release)
        headers = {**NOT_KEPT, "etag": f'"{live}"'}
        return Response(content=_release(change, live), headers=headers)

    @post(
        "/{release:str}/restore",
        status_code=200,
        summary="Make a state live again",
        guards=[requires(Scope.RELEASE_PUBLISH)],
    )
    async def restore(
        self, request: Asked, release: str, caller: Caller, publishing: Publishing
    ) -> Response[PublishedOut]:
        """All of it, as a new state. `If-Match` is the ETag of the live one."""
        refuse_query(request.scope["query_string"])
        done = await publishing.restore(release, read_revision(request), caller.name)
        return Response(content=_published(done), headers=NOT_KEPT)


class Activity(Controller):
    """Routes under `/v1/activity`."""

    path = "/v1/activity"
    tags = ("Releases",)
    guards = (requires(Scope.ADMIN),)

    @get(summary="Who did what, when")
    async def list_all(
        self, request: Asked, publishing: Publishing, drafting: Drafting, public_url: str
    ) -> Response[ActivityList]:
        """Newest first. `limit`, `cursor`, `who` (a caller), and `subject`, as `draft:…`."""
        asked = read_query(request, ACTIVITY_KEYS)
        sought = Sought(
            limit=read_limit(asked) + 1,
            before=read_cursor(asked, Number),
            who=read_text(asked, "who"),
            subject=read_text(asked, "subject"),
        )
        await publishing.settle()
        found = await drafting.drafts.list_activity(sought)
        shown = found[: sought.limit - 1]
        following = None
        if len(found) > len(shown):
            query = urlencode({**asked, "cursor": spell_cursor(shown[-1].id)})
            following = f"{public_url}/v1/activity?{query}"
        listed = [_entry(entry) for entry in shown]
        return Response(content=ActivityList(activity=listed, next=following), headers=NOT_KEPT)


def _published(done: Published) -> PublishedOut:
    return PublishedOut(
        state=done.state,
        composition=done.composition,
        release=done.release,
        changed=done.changed,
    )


def _release(change: Change, live: int) -> ReleaseOut:
    return ReleaseOut(
        number=change.number,
        live=change.number == live,
        published_at=change.published_at,
        restores=change.restores,
        compositions=change.compositions,
        new=list(change.new),
        changed=list(change.changed),
        removed=list(change.removed),
    )


def _entry(entry: Entry) -> ActivityOut:
    return ActivityOut(
        id=entry.id,
        at=entry.at,
        who=entry.who,
        action=entry.action,
        subject=entry.subject,
        details=dict(entry.details),
        outcome_of=entry.outcome_of,
    )
