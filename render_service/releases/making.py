"""Catalogues ↔ releases: what a folder holds becomes releases, and releases become a planner again.

A release keeps the versions that its views were published with, so that its URLs stay its own
whatever a later program would derive.
"""

from collections.abc import Mapping

from render_service.composition.catalogue import Catalogue
from render_service.errors import ReleaseUnreadable
from render_service.formats import Format
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import EncodeProfile
from render_service.planning.planner import Planner
from render_service.releases.model import RELEASE_SCHEMA, Release

Profiles = Mapping[Format, EncodeProfile]


def make_releases(catalogue: Catalogue, profiles: Profiles) -> dict[str, Release]:
    """Return a release of every composition of `catalogue`, as this program draws it.

    Raises:
        AssetMissing: The catalogue lacks a layer file.
    """
    planner = Planner(catalogue, profiles)
    return {
        composition.id: Release(
            schema=RELEASE_SCHEMA,
            pipeline=PIPELINE_REVISION,
            profiles=dict(profiles),
            composition=composition,
            assets=catalogue.assets[composition.id],
            versions={
                view.id: planner.version(composition, view) for view in composition.views.values()
            },
        )
        for composition in catalogue.compositions.values()
    }


def plan_releases(releases: Mapping[str, Release]) -> Planner:
    """Return the planner of `releases`, exactly as they were published.

    Its plans can be drawn if its pipeline is this program's.

    Raises:
        ReleaseUnreadable: They were not made by one program, so no one planner can be theirs.
    """
    drawn_by = {name: (release.pipeline, release.profiles) for name, release in releases.items()}
    first = next(iter(releases.values()))
    for name, made in drawn_by.items():
        if made != (first.pipeline, first.profiles):
            problem = "was not published together with the others that are live"
            raise ReleaseUnreadable(name, problem)
    return Planner(
        catalogue_of(releases),
        first.profiles,
        pipeline=first.pipeline,
        versions={
            (name, view): version
            for name, release in releases.items()
            for view, version in release.versions.items()
        },
    )


def plan_as_drawn_here(releases: Mapping[str, Release], profiles: Profiles) -> Planner:
    """Return a planner of `releases` whose pictures this program can draw.

    That is as they were published; those of another pipeline get the versions that they would have
    if they were published by this program.

    Raises:
        ReleaseUnreadable: They were not made by one program.
    """
    planner = plan_releases(releases)
    if planner.pipeline == PIPELINE_REVISION:
        return planner
    return Planner(planner.catalogue, profiles)


def catalogue_of(releases: Mapping[str, Release]) -> Catalogue:
    """Return what `releases` hold, as one catalogue in alphabetical order."""
    names = sorted(releases)
    return Catalogue(
        compositions={name: releases[name].composition for name in names},
        assets={name: releases[name].assets for name in names},
    )
