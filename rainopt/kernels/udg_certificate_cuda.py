"""Energy and duality gap of the fields that `rainopt.kernels.udg_tiles_cuda` iterates on, two numbers an image."""

from __future__ import annotations

from functools import cache

import numba

from rainopt.kernels.launch import Kernel, cuda, threads
from rainopt.kernels.udg_tiles_cuda import BX, BY, PRIOR, RX, RY, B, R

THREADS = threads(256, 4)  # of a block, a power of two
PIXELS = threads(16, 4)  # that a thread adds up, before there are more than `MOST_PARTS` blocks an image
MOST_PARTS = 1024
SCALARS = ("low", "tau", "lambda_x", "lambda_y", "sparsity")
"""The numbers that the kernel takes, all of the dtype of the fields."""


@cache
def certify(block: int, single: bool, prior: bool, time: bool, bounded: bool) -> Kernel:
    """Return the kernel that adds up energy and dual energy of each image in parts, by so many threads.

    It takes (pool, O, old, size, width, height, first image, radius, parts, scalars), as
    `rainopt.kernels.udg_tiles_cuda.advance` does; ``radius`` (images,) is what R is bounded by in the unbounded model.
    The grid is (parts of an image, images). ``parts`` (images × parts × 2,) float64 become the sums, which are added in
    an order that depends on the shape alone.
    """
    real = numba.float32 if single else numba.float64
    excess_at = PRIOR + 2 if prior else PRIOR
    half_block = block // 2

    def udg_certify(pool, O, old, size, width, height, first_image, radius, parts, scalars):
        low, tau, lambda_x, lambda_y, sparsity = scalars
        zero, half = real(0), real(0.5)
        energies = cuda.shared.array(block, numba.float64)
        bounds = cuda.shared.array(block, numba.float64)
        x = cuda.threadIdx.x
        image = cuda.blockIdx.y + first_image
        step = cuda.gridDim.x * block
        pixels = height * width
        base = image * pixels
        state = old * size
        energy, bound = 0.0, 0.0
        for k in range(cuda.blockIdx.x * block + x, pixels, step):
            i = k // width
            j = k - i * width
            at = base + k
            s = state + at
            o, b = O[at], pool[s + B * size]
            price = pool[at + PRIOR * size] if prior else sparsity
            high = radius[image]
            if bounded:
                high = pool[at + (PRIOR + 1) * size] if prior else o
            rain = pool[s + R * size]
            if bounded:
                rain = rain if rain > low else low
                rain = rain if rain < high else high
            residual = b + rain - o
            e = half * residual * residual + price * abs(rain)
            v_b, v_r, dyo, dual_ry = zero, zero, zero, zero
            # Differences down, whose duals count at both of their ends.
            if i + 1 < height:
                below = pool[s + width + R * size]
                if bounded:
                    above_it = pool[at + width + (PRIOR + 1) * size] if prior else O[at + width]
                    below = below if below > low else low
                    below = below if below < above_it else above_it
                e += tau * abs(pool[s + width + B * size] - b) + lambda_x * abs(below - rain)
                v_b += min(max(pool[s + BX * size], -tau), tau)
                v_r += min(max(pool[s + RX * size], -lambda_x), lambda_x)
            if i > 0:
                v_b -= min(max(pool[s - width + BX * size], -tau), tau)
                v_r -= min(max(pool[s - width + RX * size], -lambda_x), lambda_x)
            if j + 1 < width:
                beside = pool[s + 1 + R * size]
                if bounded:
                    above_it = pool[at + 1 + (PRIOR + 1) * size] if prior else O[at + 1]
                    beside = beside if beside > low else low
                    beside = beside if beside < above_it else above_it
                dyo = O[at + 1] - o
                e += tau * abs(pool[s + 1 + B * size] - b) + lambda_y * abs(dyo - (beside - rain))
                dual_ry = min(max(pool[s + RY * size], -lambda_y), lambda_y)
                v_b += min(max(pool[s + BY * size], -tau), tau)
                v_r += dual_ry
            if j > 0:
                v_b -= min(max(pool[s - 1 + BY * size], -tau), tau)
                v_r -= min(max(pool[s - 1 + RY * size], -lambda_y), lambda_y)
            # The largest of the lines that rain may follow, at 0, at the excess, and at its bounds.
            up, down = v_r - v_b - price, v_b - v_r - price
            largest = zero
            if time:
                excess, trust = pool[at + excess_at * size], pool[at + (excess_at + 1) * size]
                e += trust * abs(rain - excess)
                kink = min(excess, high)
                largest = max(-trust * excess, kink * up - trust * abs(kink - excess))
                largest = max(largest, high * up - trust * abs(high - excess))
                if not bounded:
                    largest = max(largest, high * down - trust * (high + excess))
            else:
                largest = high * up if up > zero else zero
                if not bounded and down > zero:
                    largest = high * down
            energy += e
            bound -= v_b * o + half * v_b * v_b + dual_ry * dyo + largest
        energies[x] = energy
        bounds[x] = bound
        cuda.syncthreads()
        left = half_block
        while left > 0:
            if x < left:
                energies[x] += energies[x + left]
                bounds[x] += bounds[x + left]
            cuda.syncthreads()
            left //= 2
        if x == 0:
            at = 2 * (image * cuda.gridDim.x + cuda.blockIdx.x)
            parts[at] = energies[0]
            parts[at + 1] = bounds[0]

    return Kernel(udg_certify)
