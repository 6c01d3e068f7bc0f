"""Other people's clients against the simulators: what they see is a carrier, not a double of our own plugin."""
