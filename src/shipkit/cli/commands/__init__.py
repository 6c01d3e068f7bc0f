"""The commands, each a function of its name: its signature and docstring are its help."""
