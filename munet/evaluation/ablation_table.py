"""The ablations as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from munet.evaluation.ablation import Ledger, columns
from munet.evaluation.ablation_claims import claims_markdown
from munet.evaluation.intervals import Interval, gain_interval, mean_interval
from munet.evaluation.methods import BASE, SURFACES

MAIN = "munet"
"""Name of the networks that ship; the other names are of short joint trainings."""

_JOINT = (
    "python scripts/train.py --config {config} --plan cpu --stages joint --length 0.5 --rate 1e-4 --real 0.5 "
    "--samples 2944 --start {config}.safetensors --data out/munet-small/people --folder out/{name} "
    "--export {name}.safetensors{without}"
)
_POSE = (
    "python scripts/train_pose_network.py --config {config} --data out/munet-small/people --people 1536 --bare 10496 "
    "--bare-fits 1664 --epochs 12 --out {config}.safetensors"
)
COMMANDS = {
    MAIN: _POSE.format(config="small"),
    "full": _JOINT.format(config="small", name="full", without=""),
    "no-trace": _JOINT.format(config="small", name="no-trace", without=" --without trace"),
    "no-cloth": _JOINT.format(config="small", name="no-cloth", without=" --without cloth"),
    "separate": _JOINT.format(config="small", name="separate", without=" --apart --without trace cloth"),
    "no-proxy": " && ".join(
        (_POSE.format(config="small-rgb"), _JOINT.format(config="small-rgb", name="no-proxy", without=""))
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        text: what is compared.
        method: of :func:`munet.evaluation.methods.measure_person`.
        training: whose networks it needs, or "".
    """

    text: str
    method: str
    training: str = ""


BODY_ROWS = (
    Row("fit alone, closed-form start", "fit"),
    Row("pose network alone", "lifter"),
    Row("fit that listens to the pose network", "fit+lifter"),
    Row("G_v over the pose network's body, no fit", "G_v", MAIN),
    Row("G_v over the fit", "G_v over fit", MAIN),
    Row("G_v + fit: the fit follows G_v", "G_v + fit", MAIN),
    Row("the same, but for people cut at the waist (the product)", "product", MAIN),
    Row("G_v over the fit, after a short joint training with all losses", "G_v over fit", "full"),
    Row("the same without L_trace", "G_v over fit", "no-trace"),
    Row("the same without L_cloth", "G_v over fit", "no-cloth"),
    Row("body and surface trained apart: no loss of the surface reaches the body", "G_v over fit", "separate"),
    Row("the same without proxy inputs (RGB alone), all losses", "G_v over fit", "no-proxy"),
)
SURFACE_ROWS = (
    Row("naked body of the fit", "body"),
    Row("body that meets the mask", "mask"),
    Row("networks' surface", "surface", MAIN),
    Row("body that meets the mask, with the networks' offset expected (the product)", "surface + mask", MAIN),
    Row("networks' surface, after a short joint training with all losses", "surface", "full"),
    Row("the same without L_trace", "surface", "no-trace"),
    Row("the same without L_cloth", "surface", "no-cloth"),
    Row("body and surface trained apart: no loss of the surface reaches the body", "surface", "separate"),
    Row("the same without proxy inputs (RGB alone), all losses", "surface", "no-proxy"),
    Row("networks' normal maps", "normals", MAIN),
)
BODY_METRICS, SURFACE_METRICS = (
    {"pa_mpjpe": "PA-MPJPE mm", "mpjpe": "MPJPE mm", "pve": "PVE mm"},
    {
        "chamfer": "Chamfer cm",
        "outer_chamfer": "Chamfer cm of what can be seen from around and above",
        "prediction_to_truth": "prediction to truth cm",
        "truth_to_prediction": "truth to prediction cm",
        "aligned_chamfer": "Chamfer cm after Procrustes of the joints",
        "normal_cosine_error": "normals at closest points, 1 - cos",
        "normal_maps": "normal maps, 1 - cos",
    },
)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        title: heading.
        rows: lines; the first one is what the gains are against.
        metrics: columns with their headings; the gain is that of the first one.
        decimals: of the numbers.
        group: what is added to the names of the ledger's groups.
    """

    title: str
    rows: Sequence[Row]
    metrics: Mapping[str, str]
    decimals: int
    group: str = ""


TABLES = (
    Table("Bodies", BODY_ROWS, BODY_METRICS, 1),
    Table("Surfaces", SURFACE_ROWS, SURFACE_METRICS, 3, SURFACES),
)


def markdown(ledger: Ledger, groups: Mapping[str, str]) -> str:
    """The tables and what follows from them; lines whose networks are not trained say with which command they would be.

    Args:
        ledger: of the measured people.
        groups: the ledger's group of each training.
    """
    return "\n\n".join([*(_table(table, ledger, groups) for table in TABLES), claims_markdown(ledger, groups)])


def _table(table: Table, ledger: Ledger, groups: Mapping[str, str]) -> str:
    heads = ["", *table.metrics.values(), "gain", "people"]
    lines = [f"### {table.title}", "", _line(heads), _line(["---"] * len(heads))]
    for row in table.rows:
        numbers, people = _numbers(table, row, ledger, groups)
        cells = [_cell(numbers.get(name), table.decimals) for name in table.metrics]
        missing = f"not trained: `{COMMANDS[row.training]}`" if row.training else "not measured"
        shown = cells if people else [missing, *([""] * (len(cells) - 1))]
        lines.append(_line([row.text, *shown, _gain(numbers), str(people)]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _numbers(table: Table, row: Row, ledger: Ledger, groups: Mapping[str, str]) -> tuple[dict[str, Interval], int]:
    """Means of the row's metrics, "gain" over the table's first row in its first metric, and the number of people."""
    mine = groups.get(row.training, BASE if not row.training else "") + table.group, row.method
    found: dict[str, Interval] = {}
    people = 0
    for name in table.metrics:
        ours, _ = columns(ledger, mine, mine, name)
        if len(ours):
            found[name], people = mean_interval(ours), len(ours)
    first = next(iter(table.metrics))
    pair = columns(ledger, mine, (BASE + table.group, table.rows[0].method), first)
    if len(pair[0]) and row is not table.rows[0]:
        found["gain"] = gain_interval(*pair)
    return found, people


def _cell(number: Interval | None, decimals: int) -> str:
    if number is None:
        return ""
    return f"{number.value:.{decimals}f} ({number.low:.{decimals}f} to {number.high:.{decimals}f})"


def _gain(numbers: Mapping[str, Interval]) -> str:
    gain = numbers.get("gain")
    return "" if gain is None else f"{gain.value:.0%} ({gain.low:.0%} to {gain.high:.0%})"


def document(ledger: Ledger, groups: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as JSON can hold it."""
    rows = [(table, row, *_numbers(table, row, ledger, groups)) for table in TABLES for row in table.rows]
    lines = [
        {
            "table": table.title,
            "row": row.text,
            "training": row.training,
            "people": people,
            "numbers": {name: vars(number) for name, number in numbers.items()},
        }
        for table, row, numbers, people in rows
    ]
    every = {BASE: BASE, **groups}
    every |= {name + SURFACES: group + SURFACES for name, group in every.items()}
    return {
        **facts,
        "missed": {str(number): reason for number, reason in ledger.missed.items()},
        "rows": lines,
        "not_trained": {
            row.training: COMMANDS[row.training] for _, row, _, people in rows if row.training and not people
        },
        "people": {name: {str(n): e for n, e in ledger.measured(group).items()} for name, group in every.items()},
    }
