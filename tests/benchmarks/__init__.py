"""Speed as ratios within one run: ours against the plain parse of the same bytes, a library, or somebody else's."""
