"""VGG becomes the first encoder of a TimeLapseNet."""

import pytest
import torch
from torch import nn

import rainnet
from rainnet.convert.base import UnlikeError
from rainnet.convert.timelapsenet import DEVIATION, MEAN, NOTE, map_vgg
from rainnet.weights.foreign import convert

FEATURES = 4


def vgg():
    """Return the layers of torchvision's VGG up to the eighth convolution, with fewer features."""
    torch.manual_seed(0)
    layers, inputs = [], 3
    for width, count in ((FEATURES, 2), (2 * FEATURES, 2), (4 * FEATURES, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return nn.ModuleDict({"features": nn.Sequential(*layers), "classifier": nn.Linear(4, 2)})


@torch.no_grad()
def test_its_maps_are_those_of_vgg_that_is_shown_pictures_less_their_mean(tmp_path):
    theirs = vgg()
    torch.save(theirs.state_dict(), tmp_path / "vgg.pth")
    converted = convert("timelapsenet", tmp_path / "vgg.pth")
    ours = converted.network
    assert (ours.config.features, ours.config.kernel, converted.notes) == (FEATURES, 3, [NOTE])
    rgb = torch.rand(1, 3, 96, 96)
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    expected = theirs["features"]((rgb - mean) / deviation)
    found = ours.encoders[0](rgb)[-1]
    torch.testing.assert_close(found[..., 3:-3, 3:-3], expected[..., 3:-3, 3:-3], rtol=1e-4, atol=1e-5)
    # What VGG does not say begins as it always does.
    assert float(ours.streaks(rgb).std()) > 0
    assert rainnet.create("timelapsenet", features=FEATURES).config == ours.config


def test_what_is_no_vgg_is_named():
    state = dict(vgg().state_dict())
    with pytest.raises(UnlikeError, match=r"lacks 'features\.7\.weight' of shape \(8, 8, 3, 3\)"):
        map_vgg({key: value for key, value in state.items() if key != "features.7.weight"})
    with pytest.raises(UnlikeError, match=r"has \(4, 3, 3, 3\) as 'features\.2\.weight' of shape"):
        map_vgg(state | {"features.2.weight": state["features.0.weight"]})
    with pytest.raises(UnlikeError, match=r"a batch normalisation, .*; take a VGG without"):
        map_vgg(state | {"features.1.running_mean": torch.zeros(4)})
    with pytest.raises(UnlikeError, match=r"^lacks 'features\.0\.weight'"):
        map_vgg({"a": torch.ones(2)})
