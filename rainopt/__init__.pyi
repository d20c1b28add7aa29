from .direction.estimate import AngleEstimate, Direction, estimate_angle
from .io.images.files import read_image, write_image
from .io.video.read import open_video, read_frames
from .metrics.fidelity import psnr, ssim
from .metrics.niqe import niqe
from .optim.objectives import UDGWeights, udg_energy
from .optim.udg import SolverStatus, UDGSolution, solve_udg
from .still.derain import Decomposition, derain
from .video.background import BackgroundEstimate, percentile_background

__version__: str
__all__ = [
    "AngleEstimate",
    "BackgroundEstimate",
    "Decomposition",
    "Direction",
    "SolverStatus",
    "UDGSolution",
    "UDGWeights",
    "derain",
    "estimate_angle",
    "niqe",
    "open_video",
    "percentile_background",
    "psnr",
    "read_frames",
    "read_image",
    "solve_udg",
    "ssim",
    "udg_energy",
    "write_image",
]
