"""Networks that remove rain, trained on the objectives of `rainopt`.

Names load on first use, since torch takes a second to import; where each lives is told by ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
