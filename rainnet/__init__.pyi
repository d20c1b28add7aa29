from .infer.derain import derain
from .models.decomposition import Decomposition
from .weights.checkpoint import load, save
from .weights.foreign import convert_official
from .zoo import create

__all__ = ["Decomposition", "convert_official", "create", "derain", "load", "save"]
