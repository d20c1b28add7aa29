"""That a run cannot go on, because a loss or a gradient is no number."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from rainnet.train.run_folder import RunFolder


class DivergedError(RuntimeError):
    """A loss or a gradient was no number any more; the message says where, and what to look at."""

    @classmethod
    def at(
        cls,
        done: int,
        batch: int,
        terms: Mapping[str, Tensor],
        turn: str,
        rate: float,
        precision: str,
        folder: RunFolder,
    ) -> DivergedError:
        """Return the error of a turn of the step after so many, of so many examples in all processes."""
        values = ", ".join(f"{name} {float(value.detach()):g}" for name, value in terms.items())
        return cls(
            f"step {done + 1}: a loss or gradient of turn '{turn}' is no number ({values}) at learning rate {rate:g} "
            f"and precision {precision}; look at examples {done * batch} to {(done + 1) * batch - 1} of the data, at "
            f"the losses before in '{folder.log}', lower optimiser.lr, set optimiser.clip, or take precision 32-true. "
            f"The last checkpoint in '{folder.path}' is untouched"
        )
