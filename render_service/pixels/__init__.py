"""Drawing. Pure; the only home of pyvips and numpy."""
