"""Bring any picture mode to 8-bit sRGB at a wanted size."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_BACKDROP = (128, 128, 128, 255)
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


def to_srgb(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return ``picture`` as RGB in sRGB, resized to ``size`` (width, height), transparent parts laid on grey.

    Handles 1-bit, palette, grey, 16-bit and floating grey, grey and RGB with alpha, CMYK, YCbCr and Lab; embedded
    colour profiles are honoured where they are valid.
    """
    flat = picture
    if picture.mode in _DEEP_MODES:
        flat = Image.fromarray(_to_bytes(np.asarray(picture), picture.mode))
    elif picture.mode in ("P", "PA", "1") or "transparency" in picture.info:
        flat = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small = flat if flat.size == size else flat.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _drop_alpha(_apply_profile(small, picture.info.get("icc_profile")))


def _to_bytes(deep: NDArray[np.generic], mode: str) -> NDArray[np.uint8]:
    values = np.nan_to_num(deep.astype(np.float32), copy=False)
    brightest = float(values.max(initial=0))
    if mode.startswith("I;16") or brightest > 255:
        white = max(65535.0, brightest)
    else:
        white = 1.0 if mode == "F" and brightest <= 1 else 255.0
    return np.asarray(np.clip(values * (255 / white) + 0.5, 0, 255), np.uint8)


def _apply_profile(picture: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if picture.mode in ("RGBA", "LA", "La", "RGBa") else "RGB"
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A broken profile is common in the wild; the plain numbers are then the best that is known.
            converted = None
        if converted is not None:
            return converted
    return picture.convert(mode)


def _drop_alpha(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, _BACKDROP), picture).convert("RGB")
