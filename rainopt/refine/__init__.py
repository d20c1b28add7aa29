"""A small network that begins where the solver ends, run by onnxruntime: no torch is needed.

Names load on first use; ``__init__.pyi`` tells where each lives.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
