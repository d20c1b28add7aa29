"""What ``--refine`` of ``rainopt derain`` does not go together with, told before anything is done."""

from __future__ import annotations

import typer

from rainopt.app.options import refusing

OPTION = "--refine"


def check_refine(
    *, strength: float, weights: str | None, device: str, sequence: bool, live: bool, preview: str | None
) -> None:
    """Refuse what the network cannot do, and an installation without its runtime; BadParameter names the option."""
    trained = "the network was trained on what is removed without it"
    for option, given, why in (
        ("--strength", strength != 1, trained),
        ("--weights", weights is not None, trained),
        ("--device", device not in ("auto", "cpu"), "the network runs on the CPU"),
        ("--sequence", sequence, "it is for photographs"),
        ("--live", live, "it is for photographs"),
        ("--preview-at", preview is not None, "it is for photographs"),
    ):
        if given:
            raise typer.BadParameter(f"does not go together with {option}: {why}; leave one out", param_hint=OPTION)
    # Nothing of the network is imported where nobody asks for it.
    from rainopt.refine.session import require_runtime

    with refusing(OPTION, ModuleNotFoundError):
        require_runtime()
