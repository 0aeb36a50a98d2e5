"""What must be drawn, and its name. Pure: no I/O."""
