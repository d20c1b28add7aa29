"""PReNet: stages that share their weights, and what is remembered between them."""

import torch
from torch.nn import functional as F

from rainnet.models.prenet import Memory
from tests.support.baselines import random_baseline


@torch.no_grad()
def test_nothing_remembered_is_a_state_of_zeros():
    torch.manual_seed(0)
    memory, x = Memory(4), torch.randn(2, 4, 7, 9)
    (h, (_, c)), (expected, (_, state)) = memory(x, None), memory(x, (torch.zeros_like(x), torch.zeros_like(x)))
    torch.testing.assert_close(h, expected)
    torch.testing.assert_close(c, state)
    # Which is a step of torch's own LSTM where the convolution sees one pixel.
    cell = torch.nn.LSTMCell(4, 4)
    weight = memory.gates.weight[:, :, 1, 1]
    cell.weight_ih.copy_(weight[:, :4])
    cell.weight_hh.copy_(weight[:, 4:])
    cell.bias_ih.copy_(memory.gates.bias)
    cell.bias_hh.zero_()
    one = torch.randn(3, 2, 4)
    h, c = cell(one[0], (one[1], one[2]))
    found, (_, kept) = memory(one[0][..., None, None], tuple(each[..., None, None] for each in one[1:]))
    torch.testing.assert_close(found[..., 0, 0], h)
    torch.testing.assert_close(kept[..., 0, 0], c)


@torch.no_grad()
def test_a_network_of_fewer_stages_is_the_beginning_of_one_of_more():
    rainy = torch.rand(1, 3, 9, 8)
    for config in ({}, {"recurrent": "none"}, {"shared_blocks": True, "blocks": 3}, {"residual": False}):
        long, short = (random_baseline("prenet", **config | {"stages": stages}) for stages in (4, 2))
        short.load_state_dict(long.state_dict())
        stages, first = long.backgrounds(rainy).stages, short.backgrounds(rainy).stages
        assert len(stages) == 4
        assert all(torch.equal(a, b) for a, b in zip(first, stages[:2], strict=True))
        torch.testing.assert_close(rainy - long.layers(rainy).removed, stages[-1])


@torch.no_grad()
def test_shared_blocks_are_blocks_of_equal_weights():
    shared = random_baseline("prenet", shared_blocks=True, blocks=3)
    free = random_baseline("prenet", seed=1, blocks=3)
    one = {name: value for name, value in shared.state_dict().items() if name.startswith("blocks.0.")}
    more = {name.replace("blocks.0.", f"blocks.{k}."): value for k in (1, 2) for name, value in one.items()}
    free.load_state_dict(shared.state_dict() | more)
    rainy = torch.rand(1, 3, 9, 8)
    torch.testing.assert_close(shared.layers(rainy).removed, free.layers(rainy).removed)


@torch.no_grad()
def test_a_head_of_the_last_stage_is_that_of_all_where_their_weights_are_equal():
    every, last = (random_baseline("prenet", variance=kind) for kind in ("every", "last"))
    state = every.state_dict()
    both = {f"final.{name}": state[f"last.{name}"] for name in ("weight", "bias")}
    last.load_state_dict(state | {f"last.{name}": state[f"last.{name}"][:3] for name in ("weight", "bias")} | both)
    rainy = torch.rand(1, 3, 9, 8)
    found, expected = last.backgrounds(rainy), every.backgrounds(rainy)
    assert found.log_variance.shape == rainy.shape
    torch.testing.assert_close(found.log_variance, expected.log_variance)
    torch.testing.assert_close(found.stages, expected.stages)
    assert random_baseline("prenet").backgrounds(rainy).log_variance is None


@torch.no_grad()
def test_what_a_stage_gives_is_added_to_the_picture_or_is_the_background():
    added, alone = (random_baseline("prenet", residual=residual, stages=1) for residual in (True, False))
    alone.load_state_dict(added.state_dict())
    rainy = torch.rand(1, 3, 9, 8)
    torch.testing.assert_close(added.backgrounds(rainy).stages[0], rainy + alone.backgrounds(rainy).stages[0])


@torch.no_grad()
def test_a_stage_without_memory_is_its_convolutions():
    net, rainy = random_baseline("prenet", recurrent="none", stages=1), torch.rand(1, 3, 9, 8)
    x, block = F.relu(net.head(torch.cat((rainy, rainy), 1))), net.blocks[0]
    x = F.relu(x + F.relu(block.second(F.relu(block.first(x)))))
    torch.testing.assert_close(net.backgrounds(rainy).stages[0], rainy + net.last(x))
