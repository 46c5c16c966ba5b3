"""Motion clips from files onto a rig: reading and computing here, keys in ``keys``."""
