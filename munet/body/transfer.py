"""What a user's body file lacks, taken from the default body or from the file's own geometry."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from munet.body.atlas import transfer_atlas
from munet.body.model import BodyModel

# The joint towards which the bone of a joint with several children points.
MAIN_CHILD = {0: 3, 9: 12, 20: 22, 21: 23, 22: 27, 23: 42}
HEAD = 15


def bone_ends(
    parents: Tensor, joints: Tensor, joint_dirs: Tensor, template: Tensor, shape_dirs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Bone ends (J, 3) and their shape directions (J, 3, 10): the next joint, or the tip of the body part.

    Args:
        parents: (J,).
        joints: (J, 3) of the mean person.
        joint_dirs: (J, 3, 10).
        template: (V, 3).
        shape_dirs: (V, 3, 10).
        weights: (V, J).
    """
    tails, tail_dirs = joints.clone(), joint_dirs.clone()
    tree = parents.tolist()
    for joint in range(len(tree)):
        children = [child for child, parent in enumerate(tree) if parent == joint]
        end = MAIN_CHILD.get(joint, children[0] if children else -1)
        if children and end < len(tree) and joint != HEAD:
            tails[joint], tail_dirs[joint] = joints[end], joint_dirs[end]
            continue
        tip = _tip(joint, joints[joint] - joints[max(tree[joint], 0)], joints[joint], template, weights[:, joint])
        tails[joint], tail_dirs[joint] = template[tip], shape_dirs[tip]
    return tails, tail_dirs


def _tip(joint: int, along: Tensor, start: Tensor, template: Tensor, weights: Tensor) -> int:
    known = {15: (0.0, 1.0, 0.0), 10: (0.0, 0.0, 1.0), 11: (0.0, 0.0, 1.0)}
    direction = along.new_tensor(known[joint]) if joint in known else along
    reach = (template - start) @ direction
    return int(torch.where(weights > min(0.5, float(weights.max())) - 1e-6, reach, -torch.inf).argmax())


def transfer_landmarks(default: BodyModel, template: Tensor, joints: Tensor) -> Tensor:
    """The landmark regressor (33, V) for another body in the T-pose.

    Every vertex that carries a landmark on the default body is moved with its strongest joint to the other body's
    joint, its offset scaled by the ratio of the statures, and replaced by the nearest vertex there.

    Args:
        default: the default body.
        template: (V, 3) of the other body.
        joints: (24 or more, 3) of the other body.
    """
    marks = default.landmarks.coalesce()
    rows, columns = marks.indices()
    anchor = default.weights[columns, :24].argmax(1)
    scale = (template[:, 1].amax() - template[:, 1].amin()) / (
        default.template[:, 1].amax() - default.template[:, 1].amin()
    )
    wanted = joints[anchor] + (default.template[columns] - default.joint_template[anchor]) * scale
    nearest = torch.cdist(wanted, template).argmin(1)
    index = torch.stack([rows, nearest])
    size = (marks.shape[0], len(template))
    return torch.sparse_coo_tensor(index, marks.values(), size, check_invariants=True).coalesce()


def transfer_uv(default: BodyModel, template: Tensor, joints: Tensor, weights: Tensor, faces: Tensor) -> Tensor:
    """Texture coordinates (F, 3, 2) from the default body's atlas for another body in the T-pose.

    The other body is brought onto the default one joint by joint (blended with its own weights), then every face
    takes the coordinates of the surface below it.

    Args:
        default: the default body.
        template: (V, 3) of the other body.
        joints: (24 or more, 3) of the other body.
        weights: (V, J) of the other body.
        faces: (F, 3) of the other body.
    """
    scale = (default.template[:, 1].amax() - default.template[:, 1].amin()) / (
        template[:, 1].amax() - template[:, 1].amin()
    )
    shared = min(len(joints), default.joint_count)
    moved = template[:, None] * scale + (default.joint_template[:shared] - joints[:shared] * scale)
    share = weights[:, :shared] / weights[:, :shared].sum(1, keepdim=True).clamp_min(1e-6)
    aligned = torch.einsum("vj,vjk->vk", share, moved)
    uv = transfer_atlas(
        default.template.double().cpu().numpy(),
        default.faces.cpu().numpy(),
        default.uv.double().cpu().numpy(),
        aligned.double().numpy(),
        faces.numpy(),
    )
    return torch.from_numpy(uv.astype(np.float32))
