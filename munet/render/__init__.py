"""One rasteriser in plain torch, batched: face index, barycentrics, depth, normals, soft silhouettes."""

from munet.render.interpolation import barycentric_coordinates, interpolate, interpolate_corners
from munet.render.normals import face_normals, normal_map, vertex_normals
from munet.render.projection import project
from munet.render.rasteriser import Fragments, rasterise
from munet.render.silhouette import edge_faces, silhouette, soft_silhouette

__all__ = [
    "Fragments",
    "barycentric_coordinates",
    "edge_faces",
    "face_normals",
    "interpolate",
    "interpolate_corners",
    "normal_map",
    "project",
    "rasterise",
    "silhouette",
    "soft_silhouette",
    "vertex_normals",
]
