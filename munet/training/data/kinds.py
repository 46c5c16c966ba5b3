"""Kinds of garments as boxes of measures, and which split may use which kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Slot = Literal["bottom", "top", "outer", "extra", "shoes", "hair"]
SLOTS: tuple[Slot, ...] = ("shoes", "bottom", "top", "outer", "extra", "hair")
Region = Literal["cut", "head", "neck", "scalp"]
REGIONS: tuple[Region, ...] = ("cut", "head", "neck", "scalp")
Range = tuple[float, float]
FAR = 9.0
"""A cut that cuts nothing."""


@dataclass(frozen=True)
class Hanging:
    """The part of a garment, or of hair, that hangs from a ring and leaves the body.

    Attributes:
        top: height of the ring, 0 at the bottom of the ring table and 1 at its top.
        length: share of the way from the ring to the floor.
        flare: widening of the circumference towards the hem, metres of radius per metre of length.
        folds: number of folds round the hem.
        fold_depth: metres at the hem.
        gap: opening in front, radians.
        level: 1 cuts a straight hem, 0 leaves the strands as long as they are.
    """

    top: Range
    length: Range
    flare: Range
    folds: Range = (5, 13)
    fold_depth: Range = (0.005, 0.022)
    gap: Range = (0.0, 0.0)


@dataclass(frozen=True)
class Kind:
    """Ranges from which one garment is drawn; metres unless said otherwise.

    Attributes:
        name: of the kind.
        slot: the place in the outfit; later slots cover earlier ones.
        test_only: kept out of training and validation.
        sleeve: end of the sleeve, 0 shoulder to 1 wrist.
        collar: height of the neckline above the neck joint's plane.
        vee: depth of the opening in front.
        waist: upper edge above the pelvis.
        hem: lower edge, 0 hip joint to 1 ankle.
        ease: distance from the trunk.
        sleeve_ease: distance from the arm.
        leg_ease: distance from the thigh.
        leg_flare: further distance at the ankle.
        gap: width of the opening in front.
        wrinkles: depth of wrinkles.
        region: which part of the body: cut by the measures above, head, neck, or scalp.
        hanging: the loose part, or None.
        weight: how often it is drawn.
    """

    name: str
    slot: Slot
    test_only: bool = False
    sleeve: Range = (FAR, FAR)
    collar: Range = (FAR, FAR)
    vee: Range = (0.0, 0.0)
    waist: Range = (FAR, FAR)
    hem: Range = (FAR, FAR)
    ease: Range = (0.004, 0.01)
    sleeve_ease: Range = (0.004, 0.01)
    leg_ease: Range = (0.004, 0.01)
    leg_flare: Range = (0.0, 0.0)
    gap: Range = (0.0, 0.0)
    wrinkles: Range = (0.001, 0.004)
    region: Region = "cut"
    hanging: Hanging | None = None
    weight: float = 1.0
    tags: frozenset[str] = field(default_factory=frozenset)


def _top(name: str, sleeve: Range, collar: Range, hem: Range, ease: Range, **more: object) -> Kind:
    return Kind(name, "top", sleeve=sleeve, collar=collar, hem=hem, ease=ease, **more)  # type: ignore[arg-type]


def _bottom(name: str, waist: Range, hem: Range, ease: Range, flare: Range, **more: object) -> Kind:
    return Kind(name, "bottom", waist=waist, hem=hem, leg_ease=ease, leg_flare=flare, **more)  # type: ignore[arg-type]


SHIRT_TAIL = Hanging((0.35, 0.6), (0.13, 0.26), (0.02, 0.16), folds=(4, 9), fold_depth=(0.004, 0.012))
JACKET_TAIL = Hanging((0.35, 0.6), (0.13, 0.24), (0.02, 0.12), folds=(3, 7), fold_depth=(0.003, 0.008), gap=(0, 0.5))

DRESS_SKIRT = Hanging((0.6, 0.95), (0.45, 0.95), (0.08, 0.42))
GOWN_SKIRT = Hanging((0.7, 1.0), (0.85, 1.0), (0.12, 0.5), folds=(8, 20), fold_depth=(0.01, 0.035))

TOPS = (
    _top("tank", (-0.06, 0.02), (-0.09, -0.05), (-0.12, 0.02), (0.004, 0.012), vee=(0, 0.05)),
    _top("t-shirt", (0.22, 0.45), (-0.055, -0.02), (-0.12, 0.02), (0.01, 0.032), sleeve_ease=(0.01, 0.035),
         vee=(0, 0.08), wrinkles=(0.003, 0.009), hanging=SHIRT_TAIL, weight=3),
    _top("shirt", (0.9, 1.0), (-0.04, 0.0), (-0.12, 0.02), (0.01, 0.03), sleeve_ease=(0.01, 0.03),
         vee=(0, 0.1), wrinkles=(0.004, 0.012), hanging=SHIRT_TAIL, weight=2),
    _top("hoodie", (0.93, 1.02), (-0.03, 0.02), (-0.04, 0.03), (0.018, 0.04), sleeve_ease=(0.016, 0.036),
         wrinkles=(0.005, 0.012), hanging=SHIRT_TAIL, weight=1.5),
    _top("dress bodice", (-0.04, 0.5), (-0.1, -0.03), (-0.3, -0.2), (0.004, 0.012), vee=(0, 0.1),
         tags=frozenset({"dress"}), hanging=DRESS_SKIRT, weight=2),
    _top("turtleneck", (0.92, 1.0), (0.03, 0.05), (-0.1, 0.02), (0.006, 0.02), sleeve_ease=(0.008, 0.02),
         test_only=True),
    _top("tunic", (0.5, 0.85), (-0.06, -0.03), (-0.1, 0.02), (0.014, 0.03), sleeve_ease=(0.02, 0.05),
         wrinkles=(0.004, 0.011), test_only=True,
         hanging=Hanging((0.5, 0.8), (0.32, 0.55), (0.04, 0.2), folds=(4, 9), fold_depth=(0.005, 0.015))),
    _top("gown bodice", (0.6, 1.0), (-0.09, -0.02), (-0.3, -0.2), (0.006, 0.016), sleeve_ease=(0.006, 0.03),
         tags=frozenset({"dress"}), test_only=True, hanging=GOWN_SKIRT, weight=2),
)  # fmt: skip

BOTTOMS = (
    _bottom("leggings", (0.02, 0.1), (0.85, 0.96), (0.002, 0.004), (0, 0.002), wrinkles=(0.0, 0.001)),
    _bottom("trousers", (0.02, 0.1), (0.92, 0.97), (0.008, 0.022), (0.008, 0.03), wrinkles=(0.003, 0.008), weight=3),
    _bottom("wide trousers", (0.04, 0.13), (0.88, 0.98), (0.018, 0.035), (0.04, 0.1), wrinkles=(0.004, 0.01),
            weight=2),
    _bottom("shorts", (0.02, 0.08), (0.25, 0.5), (0.01, 0.03), (0.01, 0.05), wrinkles=(0.002, 0.007)),
    Kind("skirt", "bottom", waist=(0.02, 0.12), hem=(0.02, 0.04), leg_ease=(0.002, 0.004),
         hanging=Hanging((0.45, 0.72), (0.35, 0.8), (0.05, 0.38)), weight=2),
    _bottom("bootcut trousers", (0.0, 0.08), (0.94, 0.98), (0.004, 0.01), (0.04, 0.06), wrinkles=(0.002, 0.006),
            test_only=True),
    _bottom("culottes", (0.04, 0.14), (0.55, 0.75), (0.02, 0.035), (0.08, 0.14), wrinkles=(0.004, 0.01),
            test_only=True, weight=1.5),
    Kind("pleated skirt", "bottom", waist=(0.02, 0.12), hem=(0.02, 0.04), leg_ease=(0.002, 0.004), test_only=True,
         hanging=Hanging((0.5, 0.75), (0.35, 0.95), (0.15, 0.5), folds=(18, 26), fold_depth=(0.01, 0.02)),
         weight=2),
)  # fmt: skip

OUTERS = (
    Kind("jacket", "outer", sleeve=(0.92, 1.02), collar=(-0.03, 0.02), hem=(-0.08, 0.03), ease=(0.024, 0.045),
         sleeve_ease=(0.02, 0.04), vee=(0.05, 0.25), gap=(0, 0.16), wrinkles=(0.004, 0.011), hanging=JACKET_TAIL,
         weight=2),
    Kind("coat", "outer", sleeve=(0.94, 1.05), collar=(-0.03, 0.03), hem=(-0.2, -0.12), ease=(0.028, 0.05),
         sleeve_ease=(0.024, 0.045), vee=(0.05, 0.25), gap=(0, 0.14), wrinkles=(0.003, 0.009),
         hanging=Hanging((0.6, 0.85), (0.35, 0.85), (0.05, 0.25), folds=(3, 8), gap=(0, 0.5)), weight=2),
    Kind("waistcoat", "outer", sleeve=(-0.05, 0.02), collar=(-0.06, -0.03), hem=(-0.08, 0.02), ease=(0.018, 0.035),
         vee=(0.15, 0.28), gap=(0, 0.12), test_only=True),
    Kind("robe", "outer", sleeve=(0.7, 0.95), collar=(-0.06, -0.02), hem=(-0.2, -0.12), ease=(0.028, 0.05),
         sleeve_ease=(0.04, 0.08), vee=(0.2, 0.3), gap=(0.02, 0.1), wrinkles=(0.005, 0.012), test_only=True,
         hanging=Hanging((0.6, 0.85), (0.75, 0.98), (0.12, 0.35), folds=(5, 10), gap=(0.1, 0.6)), weight=2),
)  # fmt: skip

EXTRAS = (
    Kind("hood", "extra", region="head", ease=(0.022, 0.038), wrinkles=(0.003, 0.008)),
    Kind("scarf", "extra", region="neck", ease=(0.03, 0.055), wrinkles=(0.006, 0.014)),
    Kind("cap", "extra", region="scalp", ease=(0.02, 0.032), wrinkles=(0.0, 0.003), test_only=True),
)

SHOES = (
    Kind("shoes", "shoes", waist=(0.02, 0.06), ease=(0.005, 0.009), leg_ease=(0.005, 0.009), weight=3),
    Kind("boots", "shoes", waist=(0.12, 0.3), ease=(0.007, 0.013), leg_ease=(0.007, 0.013)),
    Kind("high boots", "shoes", waist=(0.36, 0.42), ease=(0.007, 0.011), leg_ease=(0.007, 0.011), test_only=True),
)

HAIR = (
    Kind("short hair", "hair", region="scalp", ease=(0.012, 0.028), wrinkles=(0.002, 0.006), weight=3),
    Kind("bob", "hair", region="scalp", ease=(0.02, 0.032), wrinkles=(0.002, 0.005),
         hanging=Hanging((0.6, 0.75), (0.08, 0.14), (0.0, 0.08), gap=(2.5, 3.1), fold_depth=(0.003, 0.008)), weight=2),
    Kind("long hair", "hair", region="scalp", ease=(0.02, 0.03), wrinkles=(0.002, 0.006),
         hanging=Hanging((0.6, 0.75), (0.16, 0.36), (0.0, 0.1), gap=(2.7, 3.4), fold_depth=(0.003, 0.01)), weight=2),
    Kind("afro", "hair", region="scalp", ease=(0.05, 0.085), wrinkles=(0.004, 0.012)),
    Kind("crop", "hair", region="scalp", ease=(0.006, 0.012), wrinkles=(0.001, 0.003), test_only=True),
)  # fmt: skip

KINDS: tuple[Kind, ...] = (*TOPS, *BOTTOMS, *OUTERS, *EXTRAS, *SHOES, *HAIR)


def kinds_of(kinds: tuple[Kind, ...], *, test: bool) -> tuple[Kind, ...]:
    """The kinds that the test may use, all unseen in training, or those of training and validation."""
    return tuple(kind for kind in kinds if kind.test_only is test)
