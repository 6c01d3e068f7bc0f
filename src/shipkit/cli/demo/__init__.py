"""The main job on one machine: every carrier simulated, twenty orders, and a count from three sources."""
