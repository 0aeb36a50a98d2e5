"""The studio's light: soft boxes and pin lights, infinitely far, all of one neutral colour.

Light must stay grey. The paint basis turns one neutral trace into every metal and gem, and that
holds only while no light has a colour of its own.

Boxes have wide gradient edges, so that polished metal shows shapes that fade as in front of a
real diffuser. Pin lights are for the stones alone: only paths that passed through a stone see
them, as if flagged off the metal and the ground.
"""

import math
from dataclasses import dataclass

import drjit as dr
import mitsuba as mi
import numpy as np

from compositions.studio.mesh import Floats, unit


@dataclass(frozen=True, kw_only=True)
class Box:
    """A soft box at infinity.

    Attributes:
        azimuth_deg: Direction around the ring, 0 = along -y, counter-clockwise seen from above.
        elevation_deg: Direction above the horizon.
        half_width: Tangent of half its angular width.
        half_height: Tangent of half its angular height.
        level: Radiance in the middle.
        edge: Width of the fading edge, tangent units.
        slope: Relative change of radiance from its middle to its top edge.
        roll_deg: Turn about its own axis.
    """

    azimuth_deg: float
    elevation_deg: float
    half_width: float
    half_height: float
    level: float
    edge: float = 0.12
    slope: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A small round lamp that only stones see; radius in degrees."""

    azimuth_deg: float
    elevation_deg: float
    radius_deg: float
    level: float


AMBIENT = 0.10
BOXES = (
    # Overhead bank, leaning from behind: the broad highlight along the top of the shank.
    Box(azimuth_deg=205, elevation_deg=55, half_width=0.60, half_height=0.20, level=3.0,
        edge=0.12, slope=0.30),
    # Key, camera left: a tall box, brightest at its lower edge.
    Box(azimuth_deg=-58, elevation_deg=36, half_width=0.36, half_height=0.60, level=2.9,
        edge=0.14, slope=-0.30),
    # Strip, camera right: the crisp line down the right shoulder.
    Box(azimuth_deg=100, elevation_deg=30, half_width=0.13, half_height=0.80, level=3.2,
        edge=0.05),
    # Fill behind the camera, dim.
    Box(azimuth_deg=20, elevation_deg=52, half_width=0.28, half_height=0.20, level=1.6,
        edge=0.14),
    # Low strip behind left.
    Box(azimuth_deg=-130, elevation_deg=22, half_width=0.14, half_height=0.42, level=2.6,
        edge=0.07),
    # Small hard box high on the right: the glint on claws.
    Box(azimuth_deg=60, elevation_deg=62, half_width=0.14, half_height=0.14, level=3.4,
        edge=0.05),
)  # fmt: skip
PINS = tuple(
    Pin(azimuth_deg=azimuth, elevation_deg=elevation, radius_deg=radius, level=level)
    for azimuth, elevation, radius, level in (
        (-25, 58, 3.0, 14.0),
        (75, 42, 2.6, 14.0),
        (140, 55, 3.0, 14.0),
        (-100, 66, 2.8, 14.0),
        (-165, 38, 2.6, 14.0),
        (30, 30, 2.4, 14.0),
        (-48, 24, 2.4, 14.0),
        (110, 74, 2.6, 14.0),
        (-60, 80, 2.2, 14.0),
        (-10, 40, 2.4, 14.0),
        (170, 24, 2.6, 14.0),
        (-125, 48, 2.4, 14.0),
    )
)


def direction(azimuth_deg: float, elevation_deg: float) -> Floats:
    """Return the unit vector towards an azimuth and elevation."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    level = np.cos(elevation)
    return np.array([np.sin(azimuth) * level, -np.cos(azimuth) * level, np.sin(elevation)])


def radiance(towards: mi.Vector3f, sees_pins: mi.Bool) -> mi.Float:
    """Return what arrives from the far end of rays that left the scene.

    Args:
        towards: Unit directions away from the scene.
        sees_pins: Where pin lights count.
    """
    total = mi.Float(AMBIENT)
    for box in BOXES:
        total += _box_radiance(box, towards)
    pins = mi.Float(0.0)
    for pin in PINS:
        cosine = dr.dot(
            towards, mi.Vector3f(direction(pin.azimuth_deg, pin.elevation_deg).tolist())
        )
        limit = math.cos(math.radians(pin.radius_deg))
        pins += pin.level * _fade(cosine, 1.0 - 1.35 * (1.0 - limit), 1.0 - 0.65 * (1.0 - limit))
    return total + dr.select(sees_pins, pins, 0.0)


def _box_radiance(box: Box, towards: mi.Vector3f) -> mi.Float:
    axis = direction(box.azimuth_deg, box.elevation_deg)
    level = unit(np.cross([0.0, 0.0, 1.0], axis))
    upright = np.cross(axis, level)
    roll = np.radians(box.roll_deg)
    right = np.cos(roll) * level + np.sin(roll) * upright
    top = np.cos(roll) * upright - np.sin(roll) * level
    depth = dr.dot(towards, mi.Vector3f(axis.tolist()))
    scale = dr.rcp(dr.maximum(depth, 1e-3))
    x = dr.dot(towards, mi.Vector3f(right.tolist())) * scale
    y = dr.dot(towards, mi.Vector3f(top.tolist())) * scale
    inside = _fade(-dr.abs(x), -box.half_width - box.edge, -box.half_width + box.edge)
    inside *= _fade(-dr.abs(y), -box.half_height - box.edge, -box.half_height + box.edge)
    graded = box.level * (1.0 + box.slope * y / box.half_height)
    return dr.select(depth > 1e-3, inside * dr.maximum(graded, 0.0), 0.0)


def _fade(x: mi.Float, low: float, high: float) -> mi.Float:
    t = dr.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def ground_irradiance_over_pi() -> float:
    """Return the irradiance of an open horizontal surface, divided by π, by quadrature."""
    elevation_steps, azimuth_steps = 400, 1600
    # Equal areas of the projected hemisphere: sin²(zenith) uniform.
    zenith_sine = np.sqrt((np.arange(elevation_steps) + 0.5) / elevation_steps)
    azimuth = 2 * np.pi * (np.arange(azimuth_steps) + 0.5) / azimuth_steps
    sine, turn = np.meshgrid(zenith_sine, azimuth, indexing="ij")
    towards = np.stack([sine * np.cos(turn), sine * np.sin(turn), np.sqrt(1 - sine**2)])
    light = radiance(mi.Vector3f(*towards.reshape(3, -1).astype(np.float32)), mi.Bool(False))
    return float(np.mean(light.numpy()))
