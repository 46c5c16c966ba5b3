"""The operator that reconstructs a person of the scene once more, in its place."""
# ruff: noqa: N801 - Blender prescribes the names of classes

import bpy
from bpy.props import BoolProperty

from ..backend_manager.batch import Entry
from ..errors import AddonError
from ..language import failure_text
from ..people import rig_of
from ..source import photo_of
from .polling import on_person, without_control_rig, without_ik
from .reconstruct import begin


class MUNET_OT_reconstruct_again(bpy.types.Operator):
    """Reconstruct this person's photo with the present quality; names, place, animation and what you have added stay"""

    bl_idname = "munet.reconstruct_again"
    bl_label = "Reconstruct Again in Place"

    keep_materials: BoolProperty(
        name="Keep Materials", description="Keep the materials of the old meshes instead of the new texture"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person that comes from a photo and whose bones no controls hold."""
        if not on_person(cls, context, "OBJECT"):
            return False
        rig = rig_of(context.object)
        if "munet_clip" in rig:
            cls.poll_message_set("This person comes from a clip: reconstruct the clip again")
            return False
        if not rig.get("munet_photo_sha256"):
            cls.poll_message_set("It is not known which photo this person comes from")
            return False
        return without_ik(cls, rig) and without_control_rig(cls, rig)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the photo at the end of what is being worked on; in background mode return when it is done."""
        rig = rig_of(context.object)
        try:
            path, data = photo_of(rig)
        except AddonError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}
        entry = Entry(path, (int(rig.get("munet_person", 0)),), data=data)
        entry.replaces, entry.keep_materials = rig.name, self.keep_materials
        return begin(self, context, [entry])


CLASSES = (MUNET_OT_reconstruct_again,)
