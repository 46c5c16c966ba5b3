"""Turns reconstructed people (plain arrays) into Blender data."""
