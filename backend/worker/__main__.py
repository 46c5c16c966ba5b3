"""Run the worker; only the broker starts it."""

from __future__ import annotations

import logging
import sys

from .loop import serve
from .reconstruct import device_facts, make_work

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    serve(make_work, device_facts)
