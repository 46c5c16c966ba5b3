"""Folds of clothes from shading: a small network on the photo, and what becomes of its answer."""
