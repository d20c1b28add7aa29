"""Tools that make paired data: rainy pictures with their truth.

Names load on first use, so that `raindata --help` starts quickly; where each lives is told by ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
