"""What happens where a path meets metal, stone or ground: a new direction and its weight.

Metal is a rough conductor with Schlick's reflectance `F0 + (1 - F0)(1 - cos)^5`, which is affine in
F0; the paint basis rests on that. So a metal event returns Schlick's (1 - cos)^5 and the weight
that is common to all metals, and the caller multiplies by its own F0.
"""

from dataclasses import dataclass

import drjit as dr
import mitsuba as mi

METAL_ALPHA = 0.022  # GGX width of a lapped and polished surface: a mirror with a soft edge
GROUND_ALBEDO = 0.74
GROUND_ALPHA = 0.11
_POOL_RADIUS_MM = 38.0
_POOL_FLOOR = 0.08
_GROUND_F0 = 0.04  # acrylic, index 1.49


@dataclass(kw_only=True)
class MetalEvent:
    """A reflection at metal: `weight * (F0 + (1 - F0) * schlick)` multiplies the path."""

    direction: mi.Vector3f
    schlick: mi.Float
    weight: mi.Float


@dataclass(kw_only=True)
class StoneEvent:
    """A Fresnel event at a facet."""

    direction: mi.Vector3f
    transmitted: mi.Bool
    weight: mi.Float


@dataclass(kw_only=True)
class GroundEvent:
    """A bounce off the ground."""

    direction: mi.Vector3f
    weight: mi.Float
    diffuse: mi.Bool


def light_pool(p: mi.Point3f) -> mi.Float:
    """Return how bright the ground at a point looks to the ring, 1 = right under it.

    The sweep falls off into dark felt, which draws the dark line along the horizon that makes
    polished metal read as metal.
    """
    squared = dr.square(p.x) + dr.square(p.y)
    return _POOL_FLOOR + (1.0 - _POOL_FLOOR) * dr.exp(-squared / _POOL_RADIUS_MM**2)


def schlick(cosine: mi.Float) -> mi.Float:
    """Return (1 - cos)^5 (C. Schlick, An Inexpensive BRDF Model, 1994)."""
    left = dr.clip(1.0 - cosine, 0.0, 1.0)
    squared = left * left
    return squared * squared * left


def reflect(d: mi.Vector3f, n: mi.Vector3f) -> mi.Vector3f:
    """Return `d` mirrored at the plane with normal `n`."""
    return d - n * (2.0 * dr.dot(d, n))


def visible_normal(towards_eye: mi.Vector3f, alpha: float, u: mi.Point2f) -> mi.Vector3f:
    """Sample a GGX microfacet normal in proportion to what the eye sees, local frame.

    J. Dupuy and A. Benyoub, Sampling Visible GGX Normals with Spherical Caps, 2023.
    """
    eye = dr.normalize(towards_eye * mi.Vector3f(alpha, alpha, 1.0))
    z = (1.0 - u.y) * (1.0 + eye.z) - eye.z
    sine = dr.sqrt(dr.maximum(1.0 - z * z, 0.0))
    sin_turn, cos_turn = dr.sincos(2.0 * dr.pi * u.x)
    cap = mi.Vector3f(sine * cos_turn, sine * sin_turn, z) + eye
    return dr.normalize(mi.Vector3f(cap.x * alpha, cap.y * alpha, dr.maximum(cap.z, 0.0)))


def shadowing(cosine: mi.Float, alpha: float) -> mi.Float:
    """Return Smith's G1 for GGX."""
    squared = dr.maximum(cosine * cosine, 1e-8)
    return 2.0 / (1.0 + dr.sqrt(1.0 + alpha * alpha * (1.0 - squared) / squared))


def meet_metal(
    d: mi.Vector3f, shading: mi.Vector3f, facing: mi.Vector3f, u: mi.Point2f
) -> MetalEvent:
    """Reflect off polished metal.

    Args:
        d: Direction of travel.
        shading: Interpolated normal.
        facing: True normal, on the side of the arriving ray.
        u: Two random numbers.
    """
    shading = dr.select(dr.dot(shading, facing) < 0, -shading, shading)
    # A shading normal that faces away from the ray is bent back, or silhouettes turn black.
    grazing = dr.dot(shading, d)
    shading = dr.select(grazing > -1e-3, dr.normalize(shading - d * (grazing + 2e-3)), shading)
    frame = mi.Frame3f(shading)
    half = frame.to_world(visible_normal(frame.to_local(-d), METAL_ALPHA, u))
    out = reflect(d, half)
    below = dr.minimum(dr.dot(out, facing), 0.0)
    out = dr.normalize(out - facing * (2.0 * below - 1e-4))
    return MetalEvent(
        direction=out,
        schlick=schlick(-dr.dot(d, half)),
        weight=shadowing(dr.dot(out, shading), METAL_ALPHA),
    )


def meet_stone(
    d: mi.Vector3f, outward: mi.Vector3f, index: mi.Float, u: mi.Float, least_reflected: mi.Float
) -> StoneEvent:
    """Reflect or refract at a polished facet by Fresnel's unpolarised reflectance.

    Args:
        d: Direction of travel.
        outward: The facet's normal.
        index: Refractive index of the stone.
        u: Chooses between the two.
        least_reflected: Share of samples that follow the reflection even where it is weak;
            on the facets that the eye sees this takes the grain out of their shine.
    """
    cosine = dr.dot(d, outward)
    entering = cosine < 0.0
    facing = dr.select(entering, outward, -outward)
    ratio = dr.select(entering, dr.rcp(index), index)  # index before over index after
    into = dr.abs(cosine)
    squared = 1.0 - ratio * ratio * (1.0 - into * into)
    beyond = dr.sqrt(dr.maximum(squared, 0.0))
    across = (ratio * into - beyond) / (ratio * into + beyond)
    along = (into - ratio * beyond) / (into + ratio * beyond)
    reflectance = dr.select(squared <= 0.0, 1.0, 0.5 * (across * across + along * along))
    chance = dr.maximum(reflectance, least_reflected)
    transmitted = u >= chance
    bent = d * ratio + facing * (ratio * into - beyond)
    return StoneEvent(
        direction=dr.normalize(dr.select(transmitted, bent, reflect(d, facing))),
        transmitted=transmitted,
        weight=dr.select(
            transmitted,
            (1.0 - reflectance) * dr.rcp(dr.maximum(1.0 - chance, 1e-6)),
            reflectance * dr.rcp(chance),
        ),
    )


def meet_ground(d: mi.Vector3f, v: mi.Point2f) -> GroundEvent:
    """Bounce off white acrylic: a diffuse body under a soft gloss.

    Args:
        d: Direction of travel; the ground's normal is +z.
        v: Two random numbers; the halves of the first choose gloss or body, which leaves each
            of them as evenly spread as both were.
    """
    facing = mi.Vector3f(0.0, 0.0, 1.0)
    gloss = v.x < 0.5
    pair = mi.Point2f(dr.select(gloss, 2.0 * v.x, 2.0 * v.x - 1.0), v.y)
    half = visible_normal(-d, GROUND_ALPHA, pair)
    mirrored = reflect(d, half)
    mirrored = mi.Vector3f(mirrored.x, mirrored.y, dr.maximum(mirrored.z, 1e-3))
    body = mi.warp.square_to_cosine_hemisphere(pair)
    fresnel = _GROUND_F0 + (1.0 - _GROUND_F0) * schlick(-dr.dot(d, half))
    surface = _GROUND_F0 + (1.0 - _GROUND_F0) * schlick(-dr.dot(d, facing))
    weight = dr.select(
        gloss,
        2.0 * fresnel * shadowing(mirrored.z, GROUND_ALPHA),
        2.0 * (1.0 - surface) * GROUND_ALBEDO,
    )
    return GroundEvent(
        direction=dr.normalize(dr.select(gloss, mirrored, body)), weight=weight, diffuse=~gloss
    )
