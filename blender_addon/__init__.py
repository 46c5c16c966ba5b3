"""MuNet: from one photo to a rigged body, a dressed and textured surface and the camera."""

from .registration import register, unregister

__all__ = ["register", "unregister"]
