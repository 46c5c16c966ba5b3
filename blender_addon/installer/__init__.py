"""Installing the backend at the user's request. No bpy. The edition for the public platform does not contain it."""
