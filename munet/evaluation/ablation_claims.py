"""What was asked for and what was found: methods against each other on the same people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from munet.evaluation.ablation import Ledger, columns
from munet.evaluation.intervals import gain_interval, mean_interval
from munet.evaluation.methods import BASE, SURFACES

_MAIN = "munet"


@dataclass(frozen=True)
class Claim:
    """A comparison.

    Attributes:
        text: what is compared.
        asked: of it, or "".
        mine: training ("" for none) and method.
        other: of what it is compared with.
        metric: of both.
        unit: behind the means, " mm" for instance.
        group: what is added to the names of the ledger's groups.
    """

    text: str
    asked: str
    mine: tuple[str, str]
    other: tuple[str, str]
    metric: str
    unit: str = ""
    group: str = SURFACES


_FEEDBACK = "body after a joint training with the surface's feedback against one without"
CLAIMS = (
    Claim("network plus fit against fit alone, PA-MPJPE", "-25 %, at most 40 mm", (_MAIN, "G_v + fit"), ("", "fit"),
          "pa_mpjpe", " mm", ""),
    Claim("the same against the fit that listens to the pose network", "", (_MAIN, "G_v + fit"), ("", "fit+lifter"),
          "pa_mpjpe", " mm", ""),
    Claim("the product, which leaves people cut at the waist to the fit", "-25 %, at most 40 mm", (_MAIN, "product"),
          ("", "fit"), "pa_mpjpe", " mm", ""),
    Claim("clothed surface against the naked body of the fit, Chamfer", "-30 %, at most 1.5 cm",
          (_MAIN, "surface + mask"), ("", "body"), "chamfer", " cm"),
    Claim("the same, of what can be seen from around and above", "", (_MAIN, "surface + mask"), ("", "body"),
          "outer_chamfer", " cm"),
    Claim("the same after Procrustes of the joints", "", (_MAIN, "surface + mask"), ("", "body"), "aligned_chamfer",
          " cm"),
    Claim("the same against the body that meets the mask, without networks", "", (_MAIN, "surface + mask"),
          ("", "mask"), "chamfer", " cm"),
    Claim("normal maps: the networks' against the naked body's", "-25 %", (_MAIN, "normals"), ("", "body"),
          "normal_maps"),
    Claim("normal maps: the product's surface against the naked body's", "-25 %", (_MAIN, "surface + mask"),
          ("", "body"), "normal_maps"),
    Claim(f"{_FEEDBACK}, PA-MPJPE", "better", ("full", "G_v over fit"), ("separate", "G_v over fit"), "pa_mpjpe",
          " mm", ""),
    Claim(f"{_FEEDBACK}, MPJPE", "better", ("full", "G_v over fit"), ("separate", "G_v over fit"), "mpjpe", " mm", ""),
    Claim("surface after the same, Chamfer", "", ("full", "surface"), ("separate", "surface"), "chamfer", " cm"),
    Claim("all inputs against the picture alone, body, PA-MPJPE", "", ("full", "G_v over fit"),
          ("no-proxy", "G_v over fit"), "pa_mpjpe", " mm", ""),
)  # fmt: skip


def claims_markdown(ledger: Ledger, groups: Mapping[str, str]) -> str:
    """A table of the comparisons whose methods were measured.

    Args:
        ledger: of the measured people.
        groups: the ledger's group of each training.
    """
    lines = ["### Asked for and found", "", "| | asked for | found | difference | people |", "|---|---|---|---|---|"]
    for claim in CLAIMS:
        mine, other = (_place(part, claim.group, groups) for part in (claim.mine, claim.other))
        if mine is None or other is None:
            continue
        ours, theirs = columns(ledger, mine, other, claim.metric)
        if not len(ours):
            continue
        gain = gain_interval(ours, theirs)
        digits = 1 if claim.unit == " mm" else 3
        means = " against ".join(f"{mean_interval(values).value:.{digits}f}{claim.unit}" for values in (ours, theirs))
        found = f"{-gain.value:+.1%} ({-gain.high:+.1%} to {-gain.low:+.1%})"
        lines.append(f"| {claim.text} | {claim.asked} | {means} | {found} | {len(ours)} |")
    return "\n".join(lines)


def _place(part: tuple[str, str], group: str, groups: Mapping[str, str]) -> tuple[str, str] | None:
    training, method = part
    if training and training not in groups:
        return None
    return (groups[training] if training else BASE) + group, method
