"""The C program of the model (``c/mentoring.c``) as a function like ``run_batch``, compiled by gcc and called in this process."""

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.designs import DESIGN_DTYPE
from school_mentoring.model.engine import Batch
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import PARAMETER_DTYPE
from school_mentoring.model.state import MENTOR
from school_mentoring.model.world.arrays import Practices, World

__all__ = ["FLAGS", "NATIVE_FLAGS", "build", "run_in_c", "tables_header"]

SOURCE = Path(__file__).parent / "c"
FLAGS = ("-O3", "-ffp-contract=off", "-fno-trapping-math")
"""A fused multiply-add rounds once where the model rounds twice, so contraction is off. Traps of floating-point exceptions, which
nobody reads, would keep gcc from turning the loops with exp and log into vector instructions."""
NATIVE_FLAGS = (*FLAGS, "-march=native")

_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int32": "int32_t", "int64": "int64_t", "float64": "double"}
_WORLD_TYPES = {
    **dict.fromkeys(("region_start", "peer_start"), "int64"),
    **dict.fromkeys(("x", "y", "capacity", "openness", "row_weight", "weight", "salary"), "float64"),
    **dict.fromkeys(("traits", "likeness"), "uint8"),
    "named_role": "int8",
}
_ARRAYS = tuple(name for name in World._fields if name != "sequential")


def tables_header() -> str:
    """Return the C header with the model's own tables: world arrays, parameters, design fields and outcomes by name."""
    world = "".join(f"    const {_C_TYPES[_WORLD_TYPES.get(name, 'int32')]} *{name};\n" for name in _ARRAYS)
    records = ""
    for title, dtype in (("Parameters", PARAMETER_DTYPE), ("Design", DESIGN_DTYPE)):
        fields = "".join(f"    {_C_TYPES[dtype[name].name]} {name};\n" for name in dtype.names or ())
        records += f"typedef struct {{\n{fields}}} {title};\n\n"
    outcomes = ", ".join([*(f"OUT_{name}" for name in OUTCOMES), "OUTCOMES"])
    return f"#include <stdint.h>\n\ntypedef struct {{\n{world}}} World;\n\n{records}enum {{ {outcomes} }};\n"


@cache
def build(flags: tuple[str, ...] = FLAGS) -> ctypes.CDLL:
    """Return the program compiled with these flags; the build folder is removed when the process has loaded it."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("the comparison with C needs gcc")
    with tempfile.TemporaryDirectory(prefix="mentoring-c-") as folder:
        (Path(folder) / "tables.h").write_text(tables_header(), encoding="utf-8")
        library = Path(folder) / f"mentoring-{hashlib.sha256(' '.join(flags).encode()).hexdigest()[:8]}.so"
        options = ("-std=gnu11", *flags, "-Wall", "-fPIC", "-shared", f"-I{folder}")
        subprocess.run([compiler, *options, str(SOURCE / "mentoring.c"), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))


class _Sizes(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("n", "regions", "countries", "practices")),
        *((name, ctypes.c_void_p) for name in Practices._fields),
    )


def run_in_c(
    world: World,
    practices: Practices,
    parameters: NDArray[np.void],
    designs: NDArray[np.void],
    batch: Batch,
    *,
    seed: int,
    months: int,
    end_of_funding: int,
    flags: tuple[str, ...] = FLAGS,
) -> NDArray[np.float64]:
    """Make every run of a batch in C, on this thread, and return the outcomes; arguments as ``model.engine.run_batch``."""
    if world.sequential:
        raise ValueError("the C program knows synchronous worlds only")
    arrays = {name: getattr(world, name) for name in _ARRAYS}
    for name, array in arrays.items():
        expected = np.dtype(_WORLD_TYPES.get(name, "int32"))
        if array.dtype != expected or not array.flags.c_contiguous:
            raise TypeError(f"world.{name} is {array.dtype}, the C program reads {expected}")
    outcomes = np.empty((batch.design.size, len(OUTCOMES)))
    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data if array.size else None for array in arrays.values()))
    sizes = _Sizes(
        world.teachers.size,
        world.region_country.size,
        world.salary.size,
        practices.weight.size,
        *(array.ctypes.data for array in practices),
    )
    failed = build(flags).run_rows(
        pointers,
        ctypes.byref(sizes),
        *(ctypes.c_void_p(array.ctypes.data) for array in (parameters, designs, *batch)),
        ctypes.c_uint64(seed),
        months,
        min(end_of_funding, months - 1),
        int((world.named_role == MENTOR).any()),
        ctypes.c_void_p(outcomes.ctypes.data),
        ctypes.c_int64(0),
        ctypes.c_int64(batch.design.size),
    )
    if failed:
        raise MemoryError("the C program found no memory for its state")
    return outcomes
