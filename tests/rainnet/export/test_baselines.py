"""PReNet, DDN and JORDER-E as graphs."""

import onnxruntime
import pytest
import torch

from rainnet.export.onnx import export_onnx
from tests.support.baselines import TINY, random_baseline


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in TINY])
def test_a_graph_is_the_network_at_any_size(name, tmp_path):
    net = random_baseline(name)
    exported = export_onnx(net, tmp_path / "net.onnx")
    assert exported.difference <= 1e-4
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    # Smaller than a window of the guided filter, too.
    for size in ((33, 25), (3, 4)):
        rainy = torch.rand(2, 3, *size)
        with torch.no_grad():
            wanted = net(rainy)
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, {"rainy": rainy.numpy()}), strict=True))
        torch.testing.assert_close(torch.from_numpy(found["background"]), wanted.background, rtol=0, atol=1e-4)
        assert float((wanted.background - rainy).abs().max()) > 0.01
