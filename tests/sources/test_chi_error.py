"""Where χ does not explain its field, it is uncertain."""

import numpy as np
import pytest
from sources.mixtures import inner, sources

from qsmiron.sources.chi_error import chi_error
from qsmiron.spectral import dipole_kernel, inverse, padded_shape, transform

B0 = (0, 0, 1)


def test_an_explained_field_leaves_no_error_and_a_disturbed_one_shows_where():
    positive, negative = sources()
    mask = inner()
    chi = np.where(mask, positive + negative, 0).astype(np.float32)
    shape = padded_shape(chi.shape, [24] * 3)
    spectrum = transform(chi, shape) * dipole_kernel(shape, (1, 1, 1), B0)
    field = inverse(spectrum, shape, chi.shape)
    assert chi_error(chi, field, mask, (1, 1, 1), B0)[mask].max() < 1e-6

    noise = np.random.default_rng(0).standard_normal(chi.shape)
    disturbed = (field + 0.004 * noise * (np.arange(chi.shape[0]) < 18)[:, None, None]).astype(
        np.float32
    )
    error = chi_error(chi, disturbed, mask, (1, 1, 1), B0)
    assert np.median(error[8:14][mask[8:14]]) == pytest.approx(0.008, rel=0.1)
    assert error[22:][mask[22:]].max() < 1e-6
