"""The numbers of MuNet's paper (arXiv 2605.25861v2, tables 1a, 1b and 2) beside which results are set."""

from __future__ import annotations

BODY_METRICS = ("mpjpe", "pa_mpjpe", "pve")
SURFACE_METRICS = ("chamfer", "prediction_to_truth", "truth_to_prediction", "normal_cosine", "normal_l2")

# Pictures, section 4.2.
PAPER_SIZES = {
    "human36m": 363_928, "3dpw": 11_453, "mpi_inf_3dhp": 24_891, "thuman2": 150, "cape": 450, "renderpeople": 210,
}  # fmt: skip

# Millimetres, in the order of BODY_METRICS.
BODY: dict[str, dict[str, tuple[float, ...]]] = {
    "human36m": {
        "SPIN": (50.0, 39.6), "GCMR": (52.5, 44.9), "DecoMR": (49.3, 39.9), "PyMAF": (49.7, 39.3),
        "PyMAF-X": (47.7, 37.0), "VirtualMarker": (47.3, 32.0), "MeshPose": (41.9, 29.4), "MuNet": (38.2, 32.4),
    },
    "3dpw": {
        "SPIN": (103.8, 56.2, 128.0), "GCMR": (122.2, 66.2, 137.4), "DecoMR": (96.7, 53.7, 110.5),
        "PyMAF": (97.4, 54.9, 119.1), "PyMAF-X": (78.0, 47.1, 91.3), "VirtualMarker": (67.5, 41.3, 77.9),
        "MeshPose": (65.7, 45.1, 66.0), "MuNet": (49.2, 38.9, 54.4),
    },
    "mpi_inf_3dhp": {
        "SPIN": (103.7, 66.4), "GCMR": (132.7, 77.0), "DecoMR": (101.0, 65.9), "PyMAF": (99.1, 65.2),
        "PyMAF-X": (93.5, 56.5), "VirtualMarker": (126.7, 60.9), "MeshPose": (74.9, 59.5), "MuNet": (74.3, 56.3),
    },
    "cape": {
        "SPIN": (74.2, 52.4, 81.5), "GCMR": (67.7, 54.5, 79.0), "DecoMR": (79.4, 53.7, 85.0),
        "PyMAF": (75.0, 51.0, 77.2), "PyMAF-X": (70.8, 47.9, 72.7), "VirtualMarker": (59.9, 44.6, 64.8),
        "MeshPose": (68.1, 48.2, 79.1), "MuNet": (53.3, 41.1, 60.0),
    },
    "thuman2": {
        "SPIN": (91.3, 65.5, 114.0), "GCMR": (85.9, 69.1, 103.7), "DecoMR": (90.9, 65.6, 111.6),
        "PyMAF": (87.5, 63.0, 108.7), "PyMAF-X": (84.2, 58.2, 96.0), "VirtualMarker": (75.1, 56.7, 92.0),
        "MeshPose": (69.9, 50.8, 83.6), "MuNet": (45.7, 36.1, 49.9),
    },
    "renderpeople": {
        "SPIN": (69.0, 44.4, 81.4), "GCMR": (57.1, 46.5, 67.7), "DecoMR": (69.4, 46.3, 73.8),
        "PyMAF": (70.4, 44.8, 79.8), "PyMAF-X": (66.4, 44.6, 70.3), "VirtualMarker": (58.4, 43.1, 65.0),
        "MeshPose": (60.3, 41.6, 67.3), "MuNet": (42.3, 33.0, 48.6),
    },
}  # fmt: skip

# Centimetres (the unit is not printed in the paper; the magnitudes fit it) and, last two, no unit, in the order of
# SURFACE_METRICS. The paper's p2s is taken as prediction to truth, s2p as truth to prediction; it does not define them.
SURFACE: dict[str, dict[str, tuple[float, ...]]] = {
    "cape": {
        "PaMIR": (6.352, 4.165, 8.538, 0.3276, 0.6569), "ICON": (3.727, 2.218, 5.236, 0.1886, 0.6331),
        "ECON": (2.751, 2.161, 3.342, 0.1774, 0.3931), "D-IF": (4.139, 2.152, 6.128, 0.1877, 0.6281),
        "VS": (4.348, 2.944, 5.752, 0.2461, 0.5170), "SIFU": (3.780, 2.832, 4.729, 0.2237, 0.7367),
        "MuNet": (2.430, 2.393, 2.467, 0.1732, 0.3247),
    },
    "thuman2": {
        "PaMIR": (4.170, 3.238, 5.103, 0.3258, 0.6737), "ICON": (3.094, 2.594, 3.595, 0.2481, 0.8167),
        "ECON": (2.295, 2.173, 2.417, 0.2054, 0.4582), "D-IF": (3.295, 2.661, 3.929, 0.2519, 0.8275),
        "VS": (4.437, 3.204, 5.670, 0.3182, 0.6590), "SIFU": (3.591, 2.994, 4.188, 0.2780, 0.9089),
        "MuNet": (2.141, 2.093, 2.189, 0.2026, 0.4299),
    },
    "renderpeople": {
        "PaMIR": (4.080, 3.291, 4.866, 0.3167, 0.6561), "ICON": (2.712, 2.126, 3.298, 0.2127, 0.7159),
        "ECON": (2.345, 1.964, 2.727, 0.1910, 0.4278), "D-IF": (2.980, 2.199, 3.761, 0.2175, 0.7249),
        "VS": (3.658, 2.765, 4.552, 0.2753, 0.5849), "SIFU": (3.011, 2.462, 3.559, 0.2336, 0.7866),
        "MuNet": (1.345, 1.236, 1.455, 0.1231, 0.3049),
    },
}  # fmt: skip


def paper_rows(dataset: str) -> dict[str, dict[str, float]]:
    """Return the paper's numbers on a data set: method to metric to value; methods of bodies, then of surfaces."""
    rows: dict[str, dict[str, float]] = {}
    for table, metrics in ((BODY, BODY_METRICS), (SURFACE, SURFACE_METRICS)):
        for method, values in table.get(dataset, {}).items():
            rows.setdefault(method, {}).update(zip(metrics, values, strict=False))
    return rows
