"""Videos by a network: one angle for each stretch; the rest is tested in `tests/rainopt/app/test_video*.py`."""

import itertools

import numpy as np
import pytest

import rainnet
from data_tools import RainSpec, add_rain
from rainnet.commands import derain_video as module
from rainnet.commands.derain_video import derain_video
from rainnet.commands.networks import NetworkSettings
from rainnet.infer.derain import derain
from rainopt.app.results import OutputSettings
from rainopt.image import LUMA
from rainopt.io.video.read import read_frames
from tests.support.clips import rained, save, view

H, W, COUNT, STRETCH = 48, 64, 14, 6


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "a.mp4", [frame[:H, :W] for frame in rained(view(), count=COUNT)])


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(module, "STRETCH", STRETCH)
    monkeypatch.setattr(module, "SAMPLES", 3)


def test_frames_become_what_the_network_makes_of_them(tmp_path, model, clip):
    settings, output = NetworkSettings(model=model, angle=9.0), OutputSettings(crf=1)
    record = derain_video(clip, tmp_path / "b.mp4", settings, output)
    assert (record.error, record.frames, record.angles) == (None, COUNT, [9.0] * 3)
    net = rainnet.load(model)
    for rainy, clean in zip(read_frames(clip), read_frames(tmp_path / "b.mp4"), strict=True):
        expected = derain(net, rainy, angle=9.0).background * 255
        # Colours are stored at half the resolution, so brightness is compared.
        assert np.abs((clean - expected) @ LUMA).mean() < 1
        assert np.abs((clean - rainy.astype(float)) @ LUMA).mean() > 1.5


def test_angles_are_steady_within_a_stretch(tmp_path, model, clip, monkeypatch):
    # The second stretch turns a little, and the third, of two frames, shows another rain.
    answers = iter([10.0, 12.0, 40.0, 16.0, 18.0, 46.0, -38.0, -38.0])
    asked, used = [], []
    real = module.derain

    def find(net, image, *, by, device):
        asked.append((image.shape, by))
        return next(answers)

    def watched(net, image, *, angle, **more):
        used.append(angle)
        return real(net, image, angle=angle, **more)

    monkeypatch.setattr(module, "find_angle", find)
    monkeypatch.setattr(module, "derain", watched)
    record = derain_video(clip, tmp_path / "b.mp4", NetworkSettings(model=model, angle="network"), OutputSettings())
    assert record.error is None
    assert asked == [((H, W, 3), "network")] * 8
    assert used == [12.0] * 6 + [15.0] * 6 + [-38.0] * 2
    assert record.angles == [12.0, 15.0, -38.0]


def test_frames_without_rain_say_nothing_of_its_angle(tmp_path, model):
    dry = np.full((120, 160, 3), 90, np.uint8)
    wet = np.rint(add_rain(dry, RainSpec(angle=20.0), np.random.default_rng(1)).rainy * 255).astype(np.uint8)

    def angles(name, *frames):
        clip = save(tmp_path / f"{name}.mp4", frames)
        return derain_video(clip, tmp_path / f"{name}_out.mp4", NetworkSettings(model=model), OutputSettings()).angles

    # Frames 0, 2 and 5 of a stretch are looked at.
    assert angles("some", wet, *[dry] * (STRETCH - 1)) == [pytest.approx(20, abs=2)]
    # Of a stretch in which none is seen, the angle is that of the stretch before.
    first, second = angles("then", *[wet] * STRETCH, *[dry] * STRETCH)
    assert second == first == pytest.approx(20, abs=2)


def test_a_stopped_run_goes_on_unless_its_settings_differ(tmp_path, model, clip, monkeypatch):
    settings, output, real = NetworkSettings(model=model), OutputSettings(), module.derain
    whole = derain_video(clip, tmp_path / "whole.mp4", settings, output)

    def stop(target):
        count = itertools.count()

        def interrupted(*arguments, **more):
            if next(count) == STRETCH + 2:
                raise KeyboardInterrupt
            return real(*arguments, **more)

        with monkeypatch.context() as patch:
            patch.setattr(module, "derain", interrupted)
            with pytest.raises(KeyboardInterrupt):
                derain_video(clip, target, settings, output)
        assert not target.exists()

    stop(tmp_path / "b.mp4")
    shares = []
    record = derain_video(clip, tmp_path / "b.mp4", settings, output, shares.append)
    assert (record.error, record.kept_parts, record.angles) == (None, 1, whole.angles)
    np.testing.assert_array_equal(read_frames(tmp_path / "b.mp4"), read_frames(tmp_path / "whole.mp4"))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    stop(tmp_path / "c.mp4")
    other = derain_video(clip, tmp_path / "c.mp4", NetworkSettings(model=model, angle=3.0), output)
    assert (other.kept_parts, other.angles) == (0, [3.0] * 3)
