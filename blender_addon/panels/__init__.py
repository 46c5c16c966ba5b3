"""The panel in the 3D view's sidebar."""
