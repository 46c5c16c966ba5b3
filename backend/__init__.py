"""The backend process, its wire protocol and its client.

``protocol`` and ``client`` need only the standard library, NumPy and pyzmq and use relative imports, so that the
Blender extension can carry them. ``broker`` and ``worker`` make up the backend process; only ``worker`` imports munet.
"""
