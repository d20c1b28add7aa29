"""A history of made pictures: a critic that is shown old ones too does not forget what gave them away.

Source: Shrivastava et al. 2017 (CVPR), Section 2.3; as Zhu et al. 2017 (ICCV, CycleGAN) have it, picture by picture.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Pictures of former steps, some of which are shown in place of new ones.

    What it holds is a buffer: it is part of a run's state, and a run that goes on draws from what it would have drawn
    from. What is drawn is decided by torch's random numbers on the CPU, whatever device the pictures are on.

    Parameters
    ----------
    size
        Pictures that it holds; 0: new ones are shown.

    Attributes
    ----------
    pictures
        (held, C, H, W); (0,) before the first.
    """

    pictures: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("pictures", torch.empty(0))

    @torch.no_grad()
    def exchanged(self, new: Tensor) -> Tensor:
        """Take in pictures, and return as many to be shown.

        Until it is full it keeps all, and shows them. Then of each, one time in two, it shows one of its own, which the
        new one takes the place of; the other time the new one is shown and not kept.

        Parameters
        ----------
        new
            (N, C, H, W); no gradient is followed. Pictures of another size than those that are held begin a new
            history.
        """
        new = new.detach()
        if self.size == 0:
            return new
        held = self.pictures.to(new.device, new.dtype)
        if held.shape[1:] != new.shape[1:]:
            held = new.new_empty(0, *new.shape[1:])
        room = min(self.size - len(held), len(new))
        shown = [*new[:room]]
        held = torch.cat([held, new[:room]])
        for picture in new[room:]:
            if bool(torch.rand(()) < 0.5):
                place = int(torch.randint(len(held), ()))
                shown.append(held[place].clone())
                held[place] = picture
            else:
                shown.append(picture)
        self.pictures = held
        return torch.stack(shown)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # As many as were held, which a new pool does not know.
        if (held := state_dict.get(f"{prefix}pictures")) is not None:
            self.pictures = torch.empty_like(held, device=self.pictures.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)
