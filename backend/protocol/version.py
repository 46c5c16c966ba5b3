"""The version of the protocol."""

MAJOR = 1
"""Both sides must speak the same major version."""

MINOR = 1
"""Grows with additions that the other side may ignore."""
