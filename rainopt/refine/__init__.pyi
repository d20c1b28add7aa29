from .photo import refine

__all__ = ["refine"]
