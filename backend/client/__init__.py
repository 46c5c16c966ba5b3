"""The client of the backend: used by the Blender extension and by scripts, without munet and without torch."""

from .client import Client, connect
from .jobs import Job
from .launcher import Launch, LaunchOptions, start_backend

__all__ = ["Client", "Job", "Launch", "LaunchOptions", "connect", "start_backend"]
