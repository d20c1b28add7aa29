"""Remove rain from photographs and video without any training.

Names load on first use, so that `rainopt --help` and programs that need one function start quickly; where each lives
is told by ``__init__.pyi``.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
