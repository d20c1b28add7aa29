"""Two domains of rain: what translates between them is tried on these."""

import torch
from torch.nn import functional as F


def two_domains(seed=0, count=2, side=16):
    """Soft scenes under upright streaks of the one domain, and other ones under slanted streaks of the other.

    Entries are those of an example, and "unpaired_clean", the truth of the other domain, which nothing learns from.
    """
    generator = torch.Generator().manual_seed(seed)
    coarse = 0.6 * torch.rand(2, count, 3, 4, 4, generator=generator)
    clean, other = (F.interpolate(each, (side, side), mode="bilinear", align_corners=True) for each in coarse)
    upright = 0.4 * (torch.rand(count, 1, 1, side, generator=generator) < 0.2).expand(-1, -1, side, -1)
    line = (torch.rand(count, 2 * side, generator=generator) < 0.1).float()
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    slanted = 0.3 * line[:, row + column][:, None]
    return {"rainy": clean + upright, "clean": clean, "unpaired_rainy": other + slanted, "unpaired_clean": other}


def domain_batches(start, steps, rank, world):
    """Batches of both domains, a function of the step."""
    yield from (two_domains(step) for step in range(start, steps))
