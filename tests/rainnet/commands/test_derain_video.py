"""Videos by a network: one angle for each stretch, bounded by time; else see `tests/rainopt/app/test_video*.py`."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import rainnet
from data_tools import RainSpec, add_rain
from rainnet.commands import derain_video as module
from rainnet.commands.derain_video import Net, derain_video
from rainnet.commands.main import app
from rainnet.commands.networks import NetworkSettings
from rainnet.infer.derain import derain
from rainnet.weights.checkpoint import resolve
from rainopt.app.preview import shown
from rainopt.app.results import OutputSettings
from rainopt.app.task import NO_RAIN
from rainopt.image import LUMA
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.read import read_frames
from rainopt.video import stretches
from tests.support.clips import rained, save, stored, view
from tests.support.processes import call
from tests.support.toy import Toy

H, W, COUNT, STRETCH = 48, 64, 14, 6


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "a.mp4", [frame[:H, :W] for frame in rained(view(), count=COUNT)])


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(module, "STRETCH", STRETCH)
    monkeypatch.setattr(module, "SAMPLES", 3)


def test_frames_become_what_the_network_makes_of_them(tmp_path, model, clip):
    settings, output = NetworkSettings(model=model, angle=9.0, background=False), OutputSettings(crf=1)
    record = derain_video(clip, tmp_path / "b.mp4", settings, output)
    assert (record.error, record.frames, record.angles) == (None, COUNT, [9.0] * 3)
    net = rainnet.load(model)
    for rainy, clean in zip(read_frames(clip), read_frames(tmp_path / "b.mp4"), strict=True):
        expected = derain(net, rainy, angle=9.0).background * 255
        # Colours are stored at half the resolution, so brightness is compared.
        assert np.abs((clean - expected) @ LUMA).mean() < 1
        assert np.abs((clean - rainy.astype(float)) @ LUMA).mean() > 1.5


def test_a_video_takes_one_angle(tmp_path, model, clip):
    settings = NetworkSettings(model=model, angle=(9.0, -20.0))
    record = derain_video(clip, tmp_path / "b.mp4", settings, OutputSettings())
    assert record.status == "failed"
    assert "several angles are for photographs" in record.error
    assert not (tmp_path / "b.mp4").exists()


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
    settings = NetworkSettings(model=model, angle="network", background=False)
    record = derain_video(clip, tmp_path / "b.mp4", settings, OutputSettings())
    assert record.error is None
    assert asked == [((H, W, 3), "network")] * 8
    assert used == [12.0] * 6 + [15.0] * 6 + [-38.0] * 2
    assert record.angles == [12.0, 15.0, -38.0]


@pytest.mark.slow
def test_frames_without_rain_say_nothing_of_its_angle(tmp_path, model):
    dry = np.full((120, 160, 3), 90, np.uint8)
    wet = np.rint(add_rain(dry, RainSpec(angle=20.0), np.random.default_rng(1)).rainy * 255).astype(np.uint8)

    def angles(name, *frames):
        clip = save(tmp_path / f"{name}.mp4", frames)
        settings = NetworkSettings(model=model, background=False)
        return derain_video(clip, tmp_path / f"{name}_out.mp4", settings, OutputSettings()).angles

    # Frames 0, 2 and 5 of a stretch are looked at.
    assert angles("some", wet, *[dry] * (STRETCH - 1)) == [pytest.approx(20, abs=2)]
    # Of a stretch in which none is seen, the angle is that of the stretch before.
    first, second = angles("then", *[wet] * STRETCH, *[dry] * STRETCH)
    assert second == first == pytest.approx(20, abs=2)


@pytest.mark.parametrize("background", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_stopped_run_goes_on_unless_its_settings_differ(tmp_path, model, clip, monkeypatch, background):
    monkeypatch.setattr(stretches, "FEW", STRETCH)  # so that each stretch finds settings of its own
    settings, output, real = NetworkSettings(model=model, background=background), OutputSettings(), module.derain
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
    change = {"angle": 3.0} if background else {"background": True}
    assert derain_video(clip, tmp_path / "c.mp4", replace(settings, **change), output).kept_parts == 0


@pytest.mark.parametrize("angle", [None, 9.0])
def test_no_more_is_taken_off_than_the_frames_around_let_be_rain(model, angle):
    frames = [frame[:H, :W] for frame in rained(view(), count=STRETCH)]
    net = Net(NetworkSettings(model=model, angle=angle))
    with stored(frames) as store:
        chosen = net.choose(store, None)
        got, alone = list(net.derained(store, chosen)), list(net.derained(store, replace(chosen, timed=None)))
        by_time = list(stretches.derained(store, chosen.timed))
        some = list(net.derained(store, chosen, [1, 4]))
    assert chosen.timed.scene.directions[0].angle == pytest.approx(chosen.angle, abs=1e-3)
    bound = np.minimum(by_time, frames)
    assert (got >= bound).all()
    # All that the network took off besides is taken off.
    np.testing.assert_array_equal(np.array(got)[got > bound], np.array(alone)[got > bound])
    np.testing.assert_array_equal(np.less(alone, got), np.less(alone, bound))
    np.testing.assert_array_equal(some, [got[1], got[4]])


def test_a_network_that_needs_no_angle_is_bounded_as_well(tmp_path, toy):
    net = Net(NetworkSettings(model=rainnet.save(Toy(), tmp_path / "toy.safetensors")))
    frames = [frame[:H, :W] for frame in rained(view(), count=STRETCH)]
    with stored(frames) as store:
        chosen = net.choose(store, None)
        got = list(net.derained(store, chosen))
        assert (got >= np.minimum(list(stretches.derained(store, chosen.timed)), frames)).all()
    # The picture of a preview says how it rains all the same.
    assert (chosen.angle, net.angle(chosen)) == (None, pytest.approx(8, abs=4))


def test_a_given_angle_derains_what_shows_no_rain(model):
    with stored([view()[:H, :W]] * 4) as store:
        found, given = (Net(NetworkSettings(model=model, angle=angle)).choose(store, None) for angle in (None, 5.0))
    assert (found.dry, found.angle, given.dry, given.angle) == (True, None, False, 5.0)


@pytest.mark.slow
def test_where_something_walks_before_a_texture_it_is_nearer_the_truth():
    clean = np.repeat(view(shape=(72, 96))[None], 9, axis=0)
    for k, frame in enumerate(clean):
        frame[20:60, 15 + 3 * k : 23 + 3 * k] = 210
    some, net = [2, 5], Net(NetworkSettings(model=resolve("udgnet-small")))
    frames = rained(iter(clean))
    with stored(frames) as store:
        chosen = net.choose(store, None)
        got, alone = (list(net.derained(store, how, some)) for how in (chosen, replace(chosen, timed=None)))

    def apart(pictures):
        return np.mean((np.array(pictures) - clean[some].astype(float)) ** 2)

    assert apart(got) < 0.9 * apart(alone) < apart([frames[k] for k in some])


def test_a_video_without_rain_is_copied_and_no_network_asked(tmp_path, model, monkeypatch):
    monkeypatch.setattr(module, "derain", None)
    source = save(tmp_path / "a.mp4", [view()[:H, :W]] * COUNT)
    record = derain_video(source, tmp_path / "b.mp4", NetworkSettings(model=model), OutputSettings())
    assert (record.error, record.dry, record.angles, record.copied) == (None, 1.0, [], True)
    assert record.untouched == NO_RAIN
    assert (tmp_path / "b.mp4").read_bytes() == source.read_bytes()


def test_a_preview_shows_what_the_whole_video_will(model, clip, monkeypatch):
    net, ran, real = Net(NetworkSettings(model=model), STRETCH), [], module.derain
    with stored(read_frames(clip)[:STRETCH]) as store:
        chosen = net.choose(store, None)
        whole = list(net.derained(store, chosen))
    monkeypatch.setattr(module, "derain", lambda *given, **more: ran.append(given) or real(*given, **more))
    _, clean, angle = shown(CutVideo(clip), 4, net)
    np.testing.assert_array_equal(clean, whole[4])
    assert (angle, len(ran)) == (chosen.angle, 1)


@pytest.mark.parametrize(("options", "background"), [([], True), (["--no-background"], False)])
def test_the_option_reaches_the_work(here, model, monkeypatch, options, background):
    tasks = []
    monkeypatch.setattr("rainnet.commands.derain.run_derain", lambda *given, **more: tasks.append(given[2]) or 0)
    assert call(app, "derain", "a.mp4", "-o", "b.mp4", "-m", model, *options)[0] == 0
    assert [task.settings.background for task in tasks] == [background]
    assert "--no-background" in call(app, "derain", "--help")[1]
