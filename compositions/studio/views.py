"""The two cameras of the solitaire ring."""

from compositions.studio.sampling import Camera

VIEWS = {
    "hero": Camera(
        azimuth_deg=32.0,
        elevation_deg=24.0,
        target_mm=(0.0, 0.0, 11.7),
        distance_mm=230.0,
        field_mm=31.5,
        canvas_px=1600,
    ),
    "top": Camera(
        azimuth_deg=12.0,
        elevation_deg=74.0,
        target_mm=(0.0, 0.0, 17.0),
        distance_mm=230.0,
        field_mm=28.0,
        canvas_px=1200,
    ),
}
