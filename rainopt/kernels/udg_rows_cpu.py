"""Primal-dual iterations of the UDG energy on rows, many iterations to one pass over memory.

The state is one array (rows, 7, `LEAD` and columns and padding): each row of the image holds its seven fields one after
the other, `O` to `RY`. What is known of the rain, its sparsity and its upper bound, lies in another array (rows, 2,
columns), `SPARSITY` and `CEILING`. Where that has a single row, the row holds for all and a bounded R is bounded by O:
that is the usual case, and it costs no memory traffic. What other moments tell lies in a third array, shaped as the
second, `EXCESS` and `TRUST`. Where there are none it is None, and the loops are compiled without it.

For row i, an iteration needs only the rows i - 1, i and i + 1 of the iteration before. So `advance` lets several
iterations run down the image together, each one row behind its predecessor, while the rows they share are in the
cache. Memory is then read and written once for all of them, and arithmetic is the floor instead of bandwidth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.kernels.compiler import compiled

O, B, R, BX, BY, RX, RY = range(7)
# Columns before the first of each field. What a pixel takes from its left neighbour is 0 there, without a test; and the
# first of the image begins a cache line, since loads and stores that straddle two take twice as long.
LEAD = 16
SPARSITY, CEILING = range(2)
EXCESS, TRUST = range(2)


class Constants(NamedTuple):
    """Scalars of the loops, all of the state's dtype; `rainopt.optim.fused.constants` says what they are."""

    step_b: np.floating
    step_r: np.floating
    keep_o: np.floating
    keep_r: np.floating
    mix_b: np.floating
    mix_o: np.floating
    shrink: np.floating
    low: np.floating
    relax: np.floating
    dual_b: np.floating
    dual_along: np.floating
    dual_across: np.floating
    tau: np.floating
    lambda_x: np.floating
    lambda_y: np.floating
    half: np.floating
    zero: np.floating
    bounded: bool


# One loop although it touches eleven arrays or more: five loops that each vectorise take a tenth longer, since all but
# the first must load again what the one before has stored. No literals: `2 * x` would make a float32 a float64.
@compiled
def _primal_row(
    o, b, r, above_bx, bx, left_by, by, above_rx, rx, left_ry, ry, sparsity, ceiling, excess, trust, bar_b, bar_r, c
):
    """Step of B and R in one row: descend ``-step ∇ᵀp``, proximal point of data term, sparsity, time and box, relax.

    ``above_bx`` and ``above_rx`` are the along-fields of the row before, ``left_by`` and ``left_ry`` the across-fields
    a pixel to the left; ``bar_b`` and ``bar_r`` become the extrapolated points ``2 new - old``.
    """
    for j in range(o.size):
        b_hat = b[j] - c.step_b * (above_bx[j] - bx[j] + left_by[j] - by[j])
        r_hat = r[j] - c.step_r * (above_rx[j] - rx[j] + left_ry[j] - ry[j])
        mean = c.keep_o * (o[j] - b_hat) + c.keep_r * r_hat
        threshold, high = sparsity[j] * c.shrink, ceiling[j]
        over, under = mean - threshold, mean + threshold
        if trust is None:
            rain = (over if over > c.zero else c.zero) + (under if under < c.zero else c.zero)
        else:
            # `rainopt.optim.prox.shrink_towards`.
            pull = trust[j] * c.shrink
            left, middle, right = under + pull, over + pull, over - pull
            rain = left if left < c.zero else c.zero
            middle = middle if middle < excess[j] else excess[j]
            rain = middle if middle > rain else rain
            rain = right if right > rain else rain
        rain = rain if rain > c.low else c.low
        rain = rain if rain < high else high
        step_b = c.mix_b * b_hat + c.mix_o * (o[j] - rain) - b[j]
        step_r = rain - r[j]
        bar_b[j] = b[j] + step_b + step_b
        bar_r[j] = r[j] + step_r + step_r
        b[j] += c.relax * step_b
        r[j] += c.relax * step_r


@compiled
def _ascend_along(p, bar, bar_below, step, radius, relax):
    for j in range(p.size):
        v = p[j] + step * (bar_below[j] - bar[j])
        v = v if v > -radius else -radius
        v = v if v < radius else radius
        p[j] += relax * (v - p[j])


@compiled
def _ascend_across(p, bar, step, radius, relax):
    here, there = bar[:-1], bar[1:]
    for j in range(here.size):
        v = p[j] + step * (there[j] - here[j])
        v = v if v > -radius else -radius
        v = v if v < radius else radius
        p[j] += relax * (v - p[j])


@compiled
def _ascend_across_shifted(p, bar, o, step, radius, relax):
    here, there, o_here, o_there = bar[:-1], bar[1:], o[:-1], o[1:]
    for j in range(here.size):
        v = p[j] + step * ((there[j] - o_there[j]) - (here[j] - o_here[j]))
        v = v if v > -radius else -radius
        v = v if v < radius else radius
        p[j] += relax * (v - p[j])


@compiled
def _prior_row(prior, i, o, bounded):
    """Return the sparsity and the upper bound of the rain in one row."""
    if prior.shape[0] > 1:
        return prior[i, SPARSITY], prior[i, CEILING]
    return prior[0, SPARSITY], (o if bounded else prior[0, CEILING])


@compiled
def _time_row(time, i):
    """Return the excess and the trust of one row, None where there are none."""
    # With an else, so that only one of the two is compiled.
    if time is None:
        return None, None
    else:
        return time[i, EXCESS], time[i, TRUST]


@compiled
def advance(state, columns, prior, time, bars, zero_row, c):
    """Run ``bars.shape[0]`` iterations over the rows of ``state``, in place.

    So many ``columns`` behind `LEAD` are image; the rest is padding. ``bars`` (iterations, 2, 2, columns and padding)
    holds the extrapolated B and R of two rows an iteration. Row 0 is treated as the top of the image and the last row's
    along-fields are left alone; in a band, ghost rows absorb both.
    """
    rows, together, end = state.shape[0], bars.shape[0], LEAD + columns
    for front in range(rows + together - 1):
        for t in range(together):
            i = front - t
            if i < 0 or i >= rows:
                continue
            # One-dimensional slices of contiguous rows keep their layout known to the compiler.
            o, b, r = state[i, O][LEAD:end], state[i, B][LEAD:end], state[i, R][LEAD:end]
            bx, by, left_by = state[i, BX][LEAD:end], state[i, BY][LEAD:end], state[i, BY][LEAD - 1 : end - 1]
            rx, ry, left_ry = state[i, RX][LEAD:end], state[i, RY][LEAD:end], state[i, RY][LEAD - 1 : end - 1]
            sparsity, ceiling = _prior_row(prior, i, o, c.bounded)
            excess, trust = _time_row(time, i)
            bar_b, bar_r = bars[t, i % 2, 0][:columns], bars[t, i % 2, 1][:columns]
            above_b = state[i - 1, BX][LEAD:end] if i > 0 else zero_row
            above_r = state[i - 1, RX][LEAD:end] if i > 0 else zero_row
            _primal_row(
                o, b, r, above_b, bx, left_by, by, above_r, rx, left_ry, ry,
                sparsity, ceiling, excess, trust, bar_b, bar_r, c,
            )  # fmt: skip
            if i > 0:
                _ascend_along(above_b, bars[t, (i + 1) % 2, 0][:columns], bar_b, c.dual_b, c.tau, c.relax)
                _ascend_along(above_r, bars[t, (i + 1) % 2, 1][:columns], bar_r, c.dual_along, c.lambda_x, c.relax)
            _ascend_across(by, bar_b, c.dual_b, c.tau, c.relax)
            _ascend_across_shifted(ry, bar_r, o, c.dual_across, c.lambda_y, c.relax)


@compiled
def _boxed(r, low, high):
    r = r if r > low else low
    return r if r < high else high


@compiled
def _clip(v, radius):
    v = v if v > -radius else -radius
    return v if v < radius else radius


@compiled
def certify(state, columns, prior, time, first, last, zero_row, radius, c):
    """Return energy and dual energy of the rows ``first`` to ``last`` (excluded), in double precision.

    R and the duals are brought into their boxes on the way. The row ``last``, where there is one, is read for the
    differences.
    """
    energy, bound = 0.0, 0.0
    end = LEAD + columns
    for i in range(first, last):
        row = state[i]
        below = state[i + 1] if i + 1 < state.shape[0] else row
        above_b = state[i - 1, BX][LEAD:end] if i > 0 else zero_row
        above_r = state[i - 1, RX][LEAD:end] if i > 0 else zero_row
        o, b = row[O][LEAD:end], row[B][LEAD:end]
        sparsity, ceiling = _prior_row(prior, i, o, c.bounded)
        after = _prior_row(prior, min(i + 1, state.shape[0] - 1), below[O][LEAD:end], c.bounded)[1]
        excess, trust = _time_row(time, i)
        row_energy, row_bound = 0.0, 0.0
        rain = _boxed(row[R, LEAD], c.low, ceiling[0])
        left_b, left_r = c.zero, c.zero
        for j in range(columns):
            k = LEAD + j
            rain_below = _boxed(below[R, k], c.low, after[j])
            residual = b[j] + rain - o[j]
            e = c.half * residual * residual + sparsity[j] * abs(rain)
            e += c.tau * abs(below[B, k] - b[j]) + c.lambda_x * abs(rain_below - rain)
            by, ry, dyo = c.zero, c.zero, c.zero
            if j + 1 < columns:
                rain_right = _boxed(row[R, k + 1], c.low, ceiling[j + 1])
                dyo = o[j + 1] - o[j]
                e += c.tau * abs(b[j + 1] - b[j]) + c.lambda_y * abs(dyo - (rain_right - rain))
                by, ry = _clip(row[BY, k], c.tau), _clip(row[RY, k], c.lambda_y)
            else:
                rain_right = rain
            v_b = _clip(row[BX, k], c.tau) - _clip(above_b[j], c.tau) + by - left_b
            v_r = _clip(row[RX, k], c.lambda_x) - _clip(above_r[j], c.lambda_x) + ry - left_r
            up, down = v_r - v_b - sparsity[j], v_b - v_r - sparsity[j]
            high = ceiling[j] if c.bounded else radius
            # Not `trust`: only of an argument does the compiler know beforehand that it is None.
            if time is None:
                largest = high * up if up > c.zero else c.zero
                if not c.bounded and down > c.zero:
                    largest = high * down
            else:
                e += trust[j] * abs(rain - excess[j])
                largest = -trust[j] * excess[j]
                kink = excess[j] if excess[j] < high else high
                largest = max(largest, kink * up - trust[j] * abs(kink - excess[j]))
                largest = max(largest, high * up - trust[j] * abs(high - excess[j]))
                if not c.bounded:
                    largest = max(largest, high * down - trust[j] * (high + excess[j]))
            d = v_b * o[j] + c.half * v_b * v_b + ry * dyo + largest
            row_energy += e
            row_bound -= d
            left_b, left_r, rain = by, ry, rain_right
        energy += row_energy
        bound += row_bound
    return energy, bound
