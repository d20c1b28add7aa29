"""Small datasets to be reviewed, and their page asked in this process."""

import contextlib

import cv2
import numpy as np

from data_tools.decisions.board import Board
from data_tools.manifest.file import write_manifest
from data_tools.manifest.paths import checksum
from data_tools.manifest.record import ManifestHeader, PairRecord
from data_tools.review.api import review_app
from data_tools.review.dataset import ReviewDataset
from data_tools.review.session import Session
from rainopt.web.access import Access
from tests.support.datasets import put, waves
from tests.support.pages import client_of

SHAPE = (24, 32)
GOOD = {"sharpness": 0.98, "drift": 0.05, "expected_psnr": 45.0, "valid_share": 1.0, "status": "accepted", "doubts": []}
DOUBTFUL = GOOD | {
    "sharpness": 0.85,
    "status": "review",
    "doubts": ["the background has 85 % of the frames' sharpness"],
}


def reviewable(folder, scenes=3, pairs=2, facts=None, licence=""):
    """Write a dataset as `raindata build` makes it; `facts` are those of each scene by number, else good ones."""
    records = []
    folder.mkdir(exist_ok=True)
    for k in range(scenes):
        clean = (255 * waves(SHAPE, seed=k)).astype(np.uint8)
        window = f"video-0123456789/{20 * k:06}"
        names = {"clean": f"clean/{window}.png"}
        put(folder / names["clean"], clean)
        for frame in range(20 * k, 20 * k + pairs):
            rainy = clean.copy()
            rainy[:, frame % SHAPE[1]] |= 0x7F
            names |= {"rainy": f"rainy/{window}_{frame:06}.png", "valid": f"valid/{window}_{frame:06}.png"}
            put(folder / names["rainy"], rainy)
            put(folder / names["valid"], np.full(SHAPE, 255, np.uint8))
            records.append(
                PairRecord(
                    id=f"{window}_{frame:06}",
                    rainy=names["rainy"],
                    clean=names["clean"],
                    scene="video-0123456789/000",
                    split="train",
                    checksums={path: checksum(folder / path) for path in names.values()},
                    valid=names["valid"],
                    frame=frame,
                    background_frames=20,
                    **((facts or {}).get(k, GOOD)),
                )
            )
    write_manifest(folder, records, ManifestHeader.parse({"licence": licence, "build": {"accept": 40.0}}))
    return folder


def scene_names(count):
    """Names of the first scenes of such a dataset."""
    return [f"video-0123456789/{20 * k:06}" for k in range(count)]


@contextlib.contextmanager
def reviewing(folder, reviewer="ada", **options):
    """Hold a session of a dataset; yields a client of its page and the session."""
    access = Access()
    session = Session(ReviewDataset(folder), Board(folder), reviewer, **options)
    try:
        yield client_of(review_app(session, access)), session
    finally:
        session.close()


def mask_file(mask):
    """The bytes of a mask as the page sends it."""
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
