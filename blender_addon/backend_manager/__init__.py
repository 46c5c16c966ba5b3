"""Starting, watching and stopping the backend, and working through a list of photos. No bpy."""
