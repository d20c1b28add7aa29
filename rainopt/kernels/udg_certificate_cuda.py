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
    excess_plane = PRIOR + 2 if prior else PRIOR
    place = numba.uint64  # as in `rainopt.kernels.udg_tiles_cuda`
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
        plane, row, one, state = place(size), place(width), place(1), place(old * size)
        b_at, r_at, bx_at, by_at = place(B * size), place(R * size), place(BX * size), place(BY * size)
        rx_at, ry_at = place(RX * size), place(RY * size)
        price_at, ceiling_at, excess_at = place(PRIOR * size), place((PRIOR + 1) * size), place(excess_plane * size)
        energy, bound = 0.0, 0.0
        for k in range(cuda.blockIdx.x * block + x, pixels, step):
            i = k // width
            j = k - i * width
            at = place(base + k)
            s = at + state
            o, b = O[at], pool[s + b_at]
            price = pool[at + price_at] if prior else sparsity
            high = radius[image]
            if bounded:
                high = pool[at + ceiling_at] if prior else o
            rain = pool[s + r_at]
            if bounded:
                rain = rain if rain > low else low
                rain = rain if rain < high else high
            residual = b + rain - o
            e = half * residual * residual + price * abs(rain)
            v_b, v_r, dyo, dual_ry = zero, zero, zero, zero
            # Differences down, whose duals count at both of their ends.
            if i + 1 < height:
                below = pool[s + row + r_at]
                if bounded:
                    above_it = pool[at + row + ceiling_at] if prior else O[at + row]
                    below = below if below > low else low
                    below = below if below < above_it else above_it
                e += tau * abs(pool[s + row + b_at] - b) + lambda_x * abs(below - rain)
                v_b += min(max(pool[s + bx_at], -tau), tau)
                v_r += min(max(pool[s + rx_at], -lambda_x), lambda_x)
            if i > 0:
                v_b -= min(max(pool[s - row + bx_at], -tau), tau)
                v_r -= min(max(pool[s - row + rx_at], -lambda_x), lambda_x)
            if j + 1 < width:
                beside = pool[s + one + r_at]
                if bounded:
                    above_it = pool[at + one + ceiling_at] if prior else O[at + one]
                    beside = beside if beside > low else low
                    beside = beside if beside < above_it else above_it
                dyo = O[at + one] - o
                e += tau * abs(pool[s + one + b_at] - b) + lambda_y * abs(dyo - (beside - rain))
                dual_ry = min(max(pool[s + ry_at], -lambda_y), lambda_y)
                v_b += min(max(pool[s + by_at], -tau), tau)
                v_r += dual_ry
            if j > 0:
                v_b -= min(max(pool[s - one + by_at], -tau), tau)
                v_r -= min(max(pool[s - one + ry_at], -lambda_y), lambda_y)
            # The largest of the lines that rain may follow, at 0, at the excess, and at its bounds.
            up, down = v_r - v_b - price, v_b - v_r - price
            largest = zero
            if time:
                excess, trust = pool[at + excess_at], pool[at + excess_at + plane]
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
