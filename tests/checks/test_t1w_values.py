"""T1w images that are something else, and right ones of every make, which raise nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.checks.t1w import check_t1w_values
from qsmiron.checks.values import Values

SHAPE = (48, 52, 44)
RNG = np.random.default_rng(0)
X, Y, Z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
HEAD = X**2 + Y**2 + Z**2 < 0.8
TISSUE = ndimage.gaussian_filter(RNG.uniform(0, 1, SHAPE), 1.5)
TISSUE = np.where(HEAD, 300 + 900 * (TISSUE - TISSUE.min()) / np.ptp(TISSUE), 0)
T1W = np.hypot(TISSUE + 12 * RNG.normal(size=SHAPE), 12 * RNG.normal(size=SHAPE))
UNI = np.where(HEAD, T1W / 1200 * 4000, RNG.uniform(0, 4095, SHAPE))
LABELS = RNG.choice([2, 4, *range(10, 60), *range(1001, 1036), *range(2001, 2036)], SHAPE)


def found(data: np.ndarray) -> list[tuple[str, str, str]]:
    problems = check_t1w_values(Path("sub-01_T1w.nii.gz"), Values(np.asarray(data), 1, 0))
    return [(problem.severity, problem.found, problem.remedy) for problem in problems]


@pytest.mark.parametrize(
    "data",
    [
        T1W.astype(np.int16),
        T1W.astype(np.float32),
        (255 * T1W / T1W.max()).astype(np.uint8),
        8 * (255 * T1W / T1W.max()).astype(np.int16),
        np.where(HEAD, T1W, 0),
        np.where(np.abs(Y) < 0.6, T1W, 0),
        ndimage.zoom(np.where(HEAD, T1W, 0), 0.8, order=3),
        T1W[8:-8, 8:-8, 8:-8],
        np.where(HEAD, UNI, 0).astype(np.int16),
    ],
    ids=["as scanned", "float", "8 bits", "8 bits in steps", "brain only", "defaced", "splines",
         "cropped", "UNI without background"],
)  # fmt: skip
def test_a_right_image_raises_nothing(data):
    assert found(data) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (UNI.astype(np.int16), "in the corners of the image"),
        (T1W + 400, "in the corners of the image"),
        (UNI / 4095 - 0.5, "of them below 0"),
        (np.where(HEAD, UNI / 4095 - 0.5, 0), "of them below 0"),
        ((T1W - T1W[HEAD].mean()) / T1W[HEAD].std(), "of them below 0"),
        (-T1W, "of them below 0"),
    ],
    ids=["UNI", "an offset", "UNI about 0", "brain of a UNI", "standardised", "negative"],
)
def test_air_that_is_not_dark_is_a_warning_with_a_remedy(data, words):
    ((severity, said, remedy),) = found(data)
    assert severity == "warning"
    assert words in said
    assert "denoised UNI" in remedy


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HEAD.astype(np.uint8), "2 values"),
        (HEAD.astype(np.float32) * 1000, "2 values"),
        (np.digitize(T1W, (200, 500, 800)).astype(np.int16), "4 values"),
        (np.where(HEAD, LABELS, 0).astype(np.int16), "whole numbers from 0 to 2035"),
        (np.where(HEAD, LABELS, 0).astype(np.float32), "whole numbers from 0 to 2035"),
    ],
)
def test_masks_and_segmentations_are_refused(data, words):
    ((severity, said, remedy),) = found(data)
    assert severity == "error"
    assert words in said
    assert "mask or a segmentation" in remedy
