"""Files to arrays and back: images and video, written whole or not at all.

Names load on first use, so that commands know the formats without the libraries that read them; ``__init__.pyi`` tells
where each lives.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
