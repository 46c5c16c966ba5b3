"""What travels between the backend and its clients; docs/protocol.md describes it.

Standard library and NumPy only: no socket is opened here.
"""

from .errors import BackendError, ProtocolError, VersionError
from .framing import Message, decode, encode, retarget
from .keys import read_key_file, read_public_key, write_key_file
from .results import JobResult, PersonResult, join_result, split_result
from .runfile import RunFile, find_run_files, read_run_file
from .version import MAJOR, MINOR

__all__ = [
    "MAJOR",
    "MINOR",
    "BackendError",
    "JobResult",
    "Message",
    "PersonResult",
    "ProtocolError",
    "RunFile",
    "VersionError",
    "decode",
    "encode",
    "find_run_files",
    "join_result",
    "read_key_file",
    "read_public_key",
    "read_run_file",
    "retarget",
    "split_result",
    "write_key_file",
]
