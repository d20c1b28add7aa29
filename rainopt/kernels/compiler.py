"""The one way in which kernels are compiled: without the interpreter lock, kept for the next time where they can be.

What numba keeps by itself is trusted blindly. A folder that cannot be written, a file that was cut off, or one that
names a type that has since moved, would end every command with a traceback until somebody deletes it; and two
processes that compile at once may leave one function under the name of another. Here such a cache is no more than a
kernel that is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import pickle
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import caching
from numba.core.serialize import dumps

from rainopt.kernels.announce import announce

logger = logging.getLogger(__name__)

# An entry for C would take time to compile, and nobody uses it.
OPTIONS: dict[str, Any] = {"nogil": True, "no_cfunc_wrapper": True}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called with arguments of some types; a decorator.

    No ``fastmath``: NaN and the order of additions matter.
    """
    kernel: Any = njit(**OPTIONS)(function)
    kernel._cache = KernelCache(function)
    return kernel


class KernelCache(caching._Cache):
    """What numba asks before it compiles a function, and tells afterwards.

    It announces what is compiled, and never fails: where nothing can be read the kernel is compiled, and where nothing
    can be written it is not kept, which is said once.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self._files: _Files | None = None
        self._trouble = ""
        try:
            self._files = _Files(function)
        except RuntimeError:  # numba has tried them all
            self._trouble = "no folder for them can be written to"
        # Whatever is wrong with a cache, it is no reason not to compute.
        except Exception as error:
            self._trouble = str(error)

    @property
    def cache_path(self) -> str | None:
        """The folder, if there is one."""
        return None if self._files is None else self._files.cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kernel for a signature, or None where it has to be compiled."""
        kept = self._load(sig, target_context)
        if kept is None:
            announce(self._name)
        return kept

    def _load(self, sig: Any, target_context: Any) -> Any:
        if self._files is None:
            return None
        try:
            return self._files.load_overload(sig, target_context)
        except Exception as error:
            logger.info("the kept kernel %s cannot be used (%s); it is compiled again", self._name, error)
        try:
            # An index that cannot be read cannot be added to either.
            self._files.flush()
        except Exception as error:
            self._files, self._trouble = None, str(error)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel that was compiled."""
        if self._files is not None:
            try:
                self._files.save_overload(sig, data)
                return
            except Exception as error:
                self._files, self._trouble = None, str(error)
        _warn_once(self._trouble)

    def enable(self) -> None:
        """Part of numba's interface; it is always on."""

    def disable(self) -> None:
        """Part of numba's interface; it is always on."""

    def flush(self) -> None:
        """Forget what is kept."""
        if self._files is not None:
            self._files.flush()


class _HomeLocator(caching.UserWideCacheLocator):
    """The user's folder for caches, where there is one."""

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> Any:
        # Without a home, it would be a folder of the name "~" in the current one.
        if not os.path.isabs(caching.AppDirs(appname="numba", appauthor=False).user_cache_dir):
            return None
        return super().from_function(py_func, py_file)


class _Places(caching.CompileResultCacheImpl):
    _locator_classes = [  # noqa: RUF012
        caching.UserProvidedCacheLocator,
        caching.InTreeCacheLocator,
        _HomeLocator,
        caching.ZipCacheLocator,
    ]


class _Files(caching.FunctionCache):
    """numba's files, with entries that tell whether they are whole and whose they are."""

    _impl_class = _Places

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        impl = self._impl
        self._cache_file = _SealedFile(self._cache_path, impl.filename_base, impl.locator.get_source_stamp())


class _SealedFile(caching.IndexDataCacheFile):
    def save(self, key: Any, data: Any) -> None:
        packed = dumps(data)
        super().save(key, (_seal(key, packed), packed))

    def load(self, key: Any) -> Any:
        entry = super().load(key)
        if entry is None:
            return None
        seal, packed = entry
        if seal != _seal(key, packed):
            raise ValueError("the file is damaged, or that of another signature")
        return pickle.loads(packed)


def _seal(key: Any, packed: bytes) -> bytes:
    return hashlib.sha256(repr(key).encode() + packed).digest()


_warned = False


def _warn_once(trouble: str) -> None:
    global _warned
    # A worker's parent has the same folders, and says it for all of them.
    if not _warned and multiprocessing.parent_process() is None:
        logger.warning(
            "compiled kernels cannot be kept (%s), so every start takes some seconds more; set NUMBA_CACHE_DIR to a "
            "folder that you can write to",
            trouble,
        )
    _warned = True
