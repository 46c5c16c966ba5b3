"""MuNet: from one photo to a rigged body, a clothed textured surface and the matching camera.

This package knows neither Blender nor sockets; see docs/architecture.md.
"""

__version__ = "0.1.0"
