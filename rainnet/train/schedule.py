"""The learning rate as a function of the step alone, so that there is nothing to save and to restore."""

from __future__ import annotations

import math
from bisect import bisect_right

from rainnet.recipes.sections import OptimiserSection


def learning_rate(section: OptimiserSection, step: int, steps: int) -> float:
    """Return the learning rate of a step.

    It rises linearly over ``warmup`` steps. Then it is constant; or is multiplied with ``decay`` every ``decay_every``
    steps, or before each of those that ``decay_at`` names; or falls to 1 % along half a cosine.

    Parameters
    ----------
    section
        Of the recipe.
    step
        From 0.
    steps
        Of the whole run.
    """
    rise = min((step + 1) / section.warmup, 1.0) if section.warmup else 1.0
    factor = 1.0
    if section.schedule == "steps":
        times = step // section.decay_every if section.decay_every else bisect_right(section.decay_at, step)
        factor = section.decay**times
    elif section.schedule == "cosine":
        past = max(step - section.warmup, 0) / max(steps - section.warmup, 1)
        factor = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(past, 1.0)))
    return section.lr * rise * factor
