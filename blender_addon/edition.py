"""Which edition of the extension this is; build_addon.py writes another one for the public platform."""

NAME: str = "full"
INSTALLER: bool = True
"""Whether the extension can install its backend; the public platform's rules forbid that."""
