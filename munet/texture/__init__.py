"""Textures: the photo projected onto the surface, the unseen part filled."""
