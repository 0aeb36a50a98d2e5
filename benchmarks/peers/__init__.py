"""Other ways to turn a configuration into a picture, for `benchmarks.distinct` to compare with.

The rule: each is what its own documentation advises for this work, draws the same picture from the
same layers at the same size, and installs itself under `build/`, pinned, and nowhere else.
"""
