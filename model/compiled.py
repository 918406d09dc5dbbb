"""How the project compiles: one decorator, and a disk cache that never serves code of an older source.

Numba goes by when a compiled function's file was written and by the line it stands in: it compiles anew for a comment, and not for a rule
in another file. Here compiled code belongs to what its module and all that this imports say, as ``fingerprint`` tells.
"""

import contextlib
import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

# Level 1 vectorises as level 3 does, compiles in four fifths of the time, and runs within a few hundredths of it.
os.environ.setdefault("NUMBA_OPT", "1")

import numba
from numba.core import caching, event
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen, get_host_cpu_features
from numba.extending import register_jitable

from .fingerprint import engine_fingerprint, fingerprint, module_of

try:
    import fcntl
except ImportError:  # a system without POSIX locks
    fcntl = None  # type: ignore[assignment]

F = TypeVar("F", bound=Callable[..., Any])


@cache
def cache_folder() -> Path:
    """Return the writable folder that keeps compiled code: the user's cache folder, else a temporary one, with what that folder has."""
    full: list[Path] = []
    bases = [os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")]
    with contextlib.suppress(RuntimeError):  # a user without a home
        bases.append(str(Path.home() / ".cache"))
    for base in filter(None, bases):
        folder = Path(base) / "school-mentoring" / f"{engine_fingerprint()}-numba-{numba.__version__}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:  # a disk that may only be read, as a container's
            full += [folder] if folder.is_dir() else []
    temporary = Path(tempfile.mkdtemp(prefix="school-mentoring-"))
    for folder in full[:1]:
        shutil.copytree(folder, temporary, dirs_exist_ok=True)
    return temporary


def is_warm() -> bool:
    """Tell whether compiled code of this very source is already on disk."""
    return any(cache_folder().rglob("engine.*.nbc"))


numba.config.CACHE_DIR = str(cache_folder())

_FEATURES = "" if numba.config.CPU_NAME or numba.config.CPU_FEATURES else get_host_cpu_features()
if "+avx512f" in _FEATURES.split(","):  # vectors of 512 bits, which the compiler has and uses on request only: a tenth faster
    numba.config.CPU_FEATURES = f"{_FEATURES},-prefer-256-bit"


class _OwnLocator(caching.UserProvidedCacheLocator):
    """Where compiled code of this program is kept, whichever clone it is of, and which code it is of."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._module = str(module_of(py_file))

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        return super().from_function(py_func, py_file) if module_of(py_file) else None

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return str(module_of(py_file)).rpartition(".")[0]

    def get_source_stamp(self) -> str:
        return fingerprint([self._module])

    def get_disambiguator(self) -> str:
        return "0"  # no two compiled functions of a file have one name


caching.CacheImpl._locator_classes = [_OwnLocator, *caching.CacheImpl._locator_classes]

_save = IndexDataCacheFile.save


def _save_alone(self: Any, key: Any, data: Any) -> None:
    """Save compiled code while no other process does: Numba names its file by an index that it reads and writes without a lock.

    Else two processes that compile one function for different types may write one file, and a third be given the wrong code.
    """
    if fcntl is None:
        _save(self, key, data)
        return
    with Path(f"{self._index_path}.lock").open("ab") as lock:
        with contextlib.suppress(OSError):  # a file system that knows no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        _save(self, key, data)


IndexDataCacheFile.save = _save_alone


# Code that only compiled code calls is linked into that code, is optimised there again and becomes machine code there. Numba makes machine
# code of it by itself too, which nobody calls, with all that it calls in turn: a third of all compiling.

_PARTS: set[str] = set()
_optimize, _make_machine_code, _set_environment = (
    JITCodeLibrary._optimize_final_module,
    JITCodeLibrary._finalize_final_module,
    JITCPUCodegen.set_env,
)


def _only_linked(library: Any) -> bool:
    """Tell whether a library is of a part that Python cannot call; what comes from the disk cache, it can."""
    if library.name not in _PARTS or library._shared_module is not None:
        return False
    defined = (function.name for function in library._final_module.functions if not function.is_declaration)
    return not any(name.startswith("_ZN7cpython") for name in defined)


def _optimize_once(self: Any) -> None:
    if not _only_linked(self):
        _optimize(self)
        return
    passes, builder = self._codegen._module_pass_manager(
        loop_vectorize=self._codegen._loopvect, slp_vectorize=False, opt=self._codegen._opt_level, cost="cheap"
    )
    passes.run(self._final_module, builder)


def _make_machine_code_once(self: Any) -> None:
    if not _only_linked(self):
        _make_machine_code(self)
        return
    self._finalize_dynamic_globals()
    self._verify_declare_only_symbols()
    self._finalized = True


def _set_environment_of_code(self: Any, name: str, environment: Any) -> None:
    if self._engine.get_global_value_address(name):
        _set_environment(self, name, environment)


JITCodeLibrary._optimize_final_module = _optimize_once
JITCodeLibrary._finalize_final_module = _make_machine_code_once
JITCPUCodegen.set_env = _set_environment_of_code


class _KeepGarbage(event.Listener):
    """Lets no garbage be looked for while Numba compiles: it makes millions of objects that live on, a fifth of its time in Python."""

    def __init__(self) -> None:
        self._depth, self._was_on = 0, False

    def on_start(self, _: Any) -> None:
        if self._depth == 0:
            self._was_on = gc.isenabled()
            gc.disable()
        self._depth += 1

    def on_end(self, _: Any) -> None:
        self._depth -= 1
        if self._depth == 0 and self._was_on:
            gc.enable()


event.register("numba:compile", _KeepGarbage())


_STRICT: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """Compile a function strictly (no fast-math, no reordering of floating-point sums), without the interpreter lock.

    ``error_model="numpy"`` makes a division by zero give inf or nan instead of raising, which lets loops vectorise; the
    rules are written so that no division by zero is reached.
    """
    return numba.njit(**_STRICT, cache=True, _nrt=False, forceinline=False)(function)


def allocating(function: F) -> F:
    """Compile as ``compiled`` does, for what is built once: arrays may be made, and are counted by reference."""
    return numba.njit(**_STRICT, cache=True)(function)


def inlined(function: F) -> F:
    """Compile as ``compiled`` does, and always inline: for the small functions that loops over schools must vectorise over."""
    return numba.njit(**_STRICT, cache=True, forceinline=True, _nrt=False)(function)


def part(function: F) -> F:
    """Compile as ``compiled`` does, but only for compiled code to call: called from Python, it is the plain Python function.

    What Python need not reach compiles faster. ``compiled(function)`` of it is the same function for Python to call. A part stays a
    function of its own, whoever calls it (Numba would else hand ``forceinline`` on from its caller): what is called seldom, or from several
    places, is optimised by itself and once.
    """
    _PARTS.add(function.__qualname__)
    return register_jitable(**_STRICT, _nrt=False, forceinline=False)(function)


def step(function: F) -> F:
    """Compile as ``part`` does, and always inline: for what has one caller or a few lines, or is called for each tie or mentor.

    A call hands on some hundred values.
    """
    _PARTS.add(function.__qualname__)
    return register_jitable(**_STRICT, _nrt=False, forceinline=True)(function)
