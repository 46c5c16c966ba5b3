"""Results over a data set: means, a table beside the paper's numbers, JSON."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import munet
from munet.evaluation.paper import BODY_METRICS, PAPER_SIZES, SURFACE_METRICS, paper_rows

UNITS = {
    "mpjpe": "mm", "mpjpe_mid_hip": "mm", "pa_mpjpe": "mm", "pve": "mm", "pve_t_sc": "mm", "pck_05": "",
    "chamfer": "cm", "prediction_to_truth": "cm", "truth_to_prediction": "cm", "normal_cosine_error": "",
    "normal_cosine": "", "normal_l2": "", "normal_l2_econ": "", "silhouette_iou": "", "body_chamfer": "cm",
    "body_normal_cosine": "",
}  # fmt: skip
OWN_ROW = "this program"
_DECIMALS = {"mm": 1, "cm": 3, "": 4}


@dataclass
class Results:
    """Results as they come in.

    Attributes:
        errors: metrics of every measured sample, by its name.
        missed: why a sample has no result, by its name.
        seconds: time spent on the estimates of measured samples.
    """

    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    missed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    _sums: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, name: str, metrics: dict[str, float], seconds: float) -> None:
        """Take in a measured sample."""
        self.errors[name] = metrics
        self.seconds += seconds
        for metric, value in metrics.items():
            total, count = self._sums.get(metric, (0.0, 0))
            self._sums[metric] = total + value, count + 1

    def means(self) -> dict[str, float]:
        """Mean of every metric over the samples that have it, in the order of ``UNITS``."""
        return {name: self._sums[name][0] / self._sums[name][1] for name in UNITS if name in self._sums}


def table(dataset: str, means: Mapping[str, float]) -> str:
    """Return a table as text: the paper's methods, then this program; then what the paper does not report."""
    columns = [name for name in (*BODY_METRICS, *SURFACE_METRICS) if name in means or _in_paper(dataset, name)]
    published = sorted(paper_rows(dataset).items(), key=lambda item: item[0] == "MuNet")
    rows = [[method, *(_cell(values, name) for name in columns)] for method, values in published]
    rows.append([OWN_ROW, *(_cell(means, name) for name in columns)])
    heads = ["", *(_head(name) for name in columns)]
    lines = _aligned([heads, *rows])
    others = [name for name in means if name not in columns]
    if others:
        lines += ["", *_aligned([[_head(name), _cell(means, name)] for name in others])]
    return "\n".join(lines)


def _in_paper(dataset: str, metric: str) -> bool:
    return any(metric in values for values in paper_rows(dataset).values())


def _head(name: str) -> str:
    return f"{name} ({UNITS[name]})" if UNITS[name] else name


def _cell(values: Mapping[str, float], name: str) -> str:
    if name not in values:
        return "-"
    return f"{values[name]:.{_DECIMALS[UNITS[name]]}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def document(
    dataset: str, results: Results, protocol: Mapping[str, Any], device: str, packages: Mapping[str, str]
) -> dict[str, Any]:
    """Return everything about a run, ready for JSON."""
    return {
        "dataset": dataset,
        "protocol": dict(protocol),
        "means": results.means(),
        "units": {name: UNITS[name] for name in results.means()},
        "measured": len(results.errors),
        "missed": results.missed,
        "seconds_per_sample": results.seconds / max(1, len(results.errors)),
        "paper": paper_rows(dataset),
        "paper_measured": PAPER_SIZES.get(dataset),
        "samples": results.errors,
        "versions": {"munet": munet.__version__, "python": platform.python_version(), **packages},
        "commit": commit_of(Path(__file__).resolve().parents[2]),
        "device": device,
        "machine": platform.platform(),
    }


def commit_of(folder: Path) -> str:
    """Return the commit of a git working tree, with "-changed" where files differ from it; "" outside of git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty=-changed", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
