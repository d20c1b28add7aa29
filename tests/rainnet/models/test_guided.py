"""The guided filter of a picture by itself."""

import cv2
import numpy as np
import pytest
import torch

from rainnet.models.guided import guided_filter


def image_of(height, width):
    return torch.rand(2, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0])
def test_it_is_the_mean_of_linear_fits_in_all_windows_that_hold_a_pixel(epsilon):
    # He et al. 2010, Eq. (4): a and b of a window minimise Σ (a I + b - I)² + ε a², here by a solver of equations.
    radius, image = 2, image_of(6, 5)[0, 0].numpy()
    rows, columns = np.mgrid[:6, :5]
    total, count = np.zeros_like(image), np.zeros_like(image)
    for i, j in np.ndindex(image.shape):
        window = (abs(rows - i) <= radius) & (abs(columns - j) <= radius)
        values = image[window]
        design = np.stack([values, np.ones_like(values)], axis=1)
        ridge = design.T @ design + np.diag([epsilon * len(values), 0.0])
        a, b = np.linalg.solve(ridge, design.T @ values)
        total[window] += a * values + b
        count[window] += 1
    found = guided_filter(torch.from_numpy(image)[None, None], radius, epsilon)[0, 0]
    np.testing.assert_allclose(found, total / count, atol=1e-12)


@pytest.mark.parametrize(("radius", "epsilon"), [(1, 0.01), (4, 1e-4), (15, 1.0)])
def test_it_is_that_of_opencvs_means(radius, epsilon):
    images = image_of(40, 33)
    for image in images.reshape(-1, 40, 33).numpy():
        ones = np.ones_like(image)

        def mean(values, ones=ones):
            total = [
                cv2.boxFilter(each, -1, (2 * radius + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT)
                for each in (values, ones)
            ]
            return total[0] / total[1]

        a = (mean(image**2) - mean(image) ** 2) / (mean(image**2) - mean(image) ** 2 + epsilon)
        expected = mean(a) * image + mean(mean(image) - a * mean(image))
        found = guided_filter(torch.from_numpy(image)[None, None], radius, epsilon)
        np.testing.assert_allclose(found[0, 0], expected, atol=1e-12)


def test_a_constant_picture_stays_as_it_is():
    image = torch.full((1, 3, 9, 12), 0.7)
    torch.testing.assert_close(guided_filter(image, 3, 1e-6), image)


def test_it_ends_in_the_picture_and_in_the_mean_of_means():
    image = image_of(20, 17)
    torch.testing.assert_close(guided_filter(image, 3, 1e-12), image, atol=1e-9, rtol=0)
    window = torch.ones(1, 1, 7, 7, dtype=torch.float64)
    mean = torch.nn.functional.conv2d(image.reshape(6, 1, 20, 17), window, padding=3)
    mean = mean / torch.nn.functional.conv2d(torch.ones_like(image[:1, :1]), window, padding=3)
    again = torch.nn.functional.conv2d(mean, window, padding=3)
    again = again / torch.nn.functional.conv2d(torch.ones_like(image[:1, :1]), window, padding=3)
    found = guided_filter(image, 3, 1e9).reshape(6, 1, 20, 17)
    torch.testing.assert_close(found, again, atol=1e-8, rtol=0)


def test_float32_is_close_to_float64():
    # Differences of squares, of a bright picture with little contrast.
    image = 0.9 + 0.01 * image_of(40, 30)
    torch.testing.assert_close(
        guided_filter(image.float(), 5, 1e-4).double(), guided_filter(image, 5, 1e-4), atol=1e-5, rtol=0
    )
