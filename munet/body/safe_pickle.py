"""Read the arrays of a pickled SMPL file without running anything from it.

Python's pickle can call any function that a file names. Here a file may name only what rebuilds NumPy arrays, SciPy
sparse matrices and chumpy's wrappers, and the last two become inert containers; anything else is refused.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from munet.errors import BodyFileError


class Container:
    """Stands in for a class of the file; keeps its state and does nothing."""

    kind = ""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        self.state = dict(state) if isinstance(state, dict) else {}


class SparseContainer(Container):
    """A scipy.sparse CSC matrix."""

    kind = "sparse"


class ChumpyContainer(Container):
    """A chumpy array."""

    kind = "chumpy"


class SelectContainer(Container):
    """Chosen elements of a chumpy array."""

    kind = "select"


def _latin1(text: str, encoding: str) -> bytes:
    """Python 2's byte strings, as pickle protocol 2 writes them."""
    if encoding not in {"latin1", "latin-1"}:
        raise BodyFileError("The body file holds something unexpected.", detail=f"encoding {encoding!r}")
    return text.encode("latin1")


def _new_object(kind: type, *_: object) -> object:
    """Stands in for copyreg's reconstructor."""
    if not (isinstance(kind, type) and issubclass(kind, Container)):
        raise BodyFileError("The body file holds something unexpected.", detail=f"an object of {kind!r}")
    return kind()


def _reconstruct() -> Callable[..., Any]:
    function: Callable[..., Any] = np.zeros(1).__reduce__()[0]  # type: ignore[assignment]
    return function


_NUMPY: dict[str, Callable[[], Any]] = {
    "_reconstruct": _reconstruct,
    "ndarray": lambda: np.ndarray,
    "dtype": lambda: np.dtype,
    "scalar": lambda: np.float64(0).__reduce__()[0],
}
_NUMPY_MODULES = {"numpy", "numpy.core.multiarray", "numpy._core.multiarray"}
_OTHERS: dict[tuple[str, str], Any] = {
    ("scipy.sparse.csc", "csc_matrix"): SparseContainer,
    ("scipy.sparse._csc", "csc_matrix"): SparseContainer,
    ("chumpy.ch", "Ch"): ChumpyContainer,
    ("chumpy.reordering", "Select"): SelectContainer,
    ("copy_reg", "_reconstructor"): _new_object,
    ("copyreg", "_reconstructor"): _new_object,
    ("__builtin__", "object"): Container,
    ("builtins", "object"): Container,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("_codecs", "encode"): _latin1,
}


class _Reader(pickle.Unpickler):
    """An unpickler that knows nothing but arrays and inert containers."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:  # noqa: ANN401
        if module_name in _NUMPY_MODULES and global_name in _NUMPY:
            return _NUMPY[global_name]()
        if (module_name, global_name) in _OTHERS:
            return _OTHERS[module_name, global_name]
        raise BodyFileError(
            "The body file holds something that a body file never needs, so it was not read.",
            detail=f"it names {module_name}.{global_name}",
        )


def read_pickle(stream: IO[bytes]) -> object:
    """Read one pickled object that consists of plain containers, arrays and inert stand-ins.

    Raises:
        BodyFileError: the data are damaged or name anything but arrays.
    """
    try:
        return _Reader(stream, encoding="latin1").load()
    except BodyFileError:
        raise
    except Exception as error:
        raise BodyFileError("The body file is damaged.", detail=f"{type(error).__name__}: {error}") from error


def as_array(value: object, name: str) -> NDArray[np.float64]:
    """A numeric array from what a body file holds under ``name``: array, sparse matrix or chumpy array.

    Raises:
        BodyFileError: it is none of these.
    """
    if isinstance(value, SparseContainer):
        state = value.state
        shape = state.get("_shape", state.get("shape"))
        parts = (_numeric(state.get("data"), name), _numeric(state.get("indices"), name).astype(np.int64))
        return np.asarray(csc_matrix((*parts, _numeric(state.get("indptr"), name).astype(np.int64)), shape).toarray())
    if isinstance(value, ChumpyContainer):
        return as_array(value.state.get("x"), name)
    if isinstance(value, SelectContainer):
        chosen = as_array(value.state.get("a"), name).ravel()[as_array(value.state.get("idxs"), name).astype(np.int64)]
        shape = value.state.get("preferred_shape")
        return chosen if shape is None else chosen.reshape(tuple(shape))
    return _numeric(value, name)


def _numeric(value: object, name: str) -> NDArray[np.float64]:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return value.astype(np.float64)
    raise BodyFileError("The body file is not in the SMPL format.", detail=f"{name} is {type(value).__name__}")
