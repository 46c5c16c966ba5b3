"""Rotations, cameras and frames."""
