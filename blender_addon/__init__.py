"""MuNet."""
