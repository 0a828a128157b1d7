"""Registration without a T1w: the contrast of R2* and χ, and where labels land by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from heads import SUBCORTEX, dice, reference

from qsmiron.errors import InputError
from qsmiron.registration.hybrid import HybridParameters, hybrid_contrast, register_without_t1w
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.scan import RegistrationParameters
from qsmiron.simulation.subject import read_plan, simulate_subject
from qsmiron.template import desikan_killiany
from qsmiron.volumes import Volume, read_volume

# what tissue has at 3 T: R2* (1/s), χ (ppm)
TISSUES = {
    "white": (21.0, -0.02),
    "cortex": (16.0, 0.01),
    "fluid": (3.0, 0.0),
    "putamen": (27.0, 0.05),
    "pallidum": (40.0, 0.13),
}


def maps(shift: float = 0.0, b0: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One voxel of each tissue, and ten more of white matter and cortex as in a brain."""
    of = [*TISSUES.values(), *[TISSUES["white"], TISSUES["cortex"]] * 10]
    rate, chi = (np.array(each, np.float32).reshape(-1, 1, 1) for each in zip(*of, strict=True))
    return chi + np.float32(shift), rate * np.float32(b0), np.ones(chi.shape, bool)


def test_tissues_are_as_bright_as_in_a_t1w() -> None:
    contrast = dict(
        zip(TISSUES, hybrid_contrast(*maps(), HybridParameters()).ravel(), strict=False)
    )
    assert contrast["white"] > contrast["putamen"] > contrast["fluid"] > 0
    assert contrast["white"] > contrast["cortex"] > contrast["fluid"]
    assert contrast["white"] > contrast["pallidum"] > contrast["fluid"]


def test_neither_the_reference_nor_the_field_strength_matters() -> None:
    first = hybrid_contrast(*maps(), HybridParameters())
    other = hybrid_contrast(*maps(shift=0.3, b0=7 / 3), HybridParameters())
    np.testing.assert_allclose(other, first, atol=1e-5)


def test_what_is_unknown_adds_nothing_and_the_outside_is_dark() -> None:
    chi, rate, brain = maps()
    chi[0], rate[1], brain[2] = np.nan, np.nan, False
    contrast = hybrid_contrast(chi, rate, brain, HybridParameters()).ravel()
    assert contrast[0] == pytest.approx(21 / np.median(np.nan_to_num(rate)[brain]))
    assert contrast[2] == 0 and (contrast[[0, 1, 3, 4]] > 0).all()


@pytest.mark.parametrize(("broken", "named"), [(1, "no R2\\*"), (0, "no χ")])
def test_an_empty_map_is_named(broken: int, named: str) -> None:
    given = list(maps())
    given[broken] = np.full_like(given[broken], np.nan)
    with pytest.raises(InputError, match=named):
        hybrid_contrast(*given, HybridParameters())


@pytest.mark.slow
def test_labels_land_where_they_belong() -> None:
    """A simulated head of 3 mm, by its true maps."""
    plan = read_plan(Path(__file__).resolve().parents[2] / "config/demo/plan.tsv")
    subject = simulate_subject(plan["sub-02"], 3.0)
    found = register_without_t1w(
        Volume(subject.chi.astype(np.float32), subject.affine),
        subject.r2star,
        subject.brain,
        reference(),
        RegistrationParameters(),
        HybridParameters(),
    )
    assert found.quality["without_t1w"] and "by_headers" not in found.quality
    np.testing.assert_allclose(found.gre_to_t1w, np.eye(4), atol=1e-9)
    labels = carry_labels(found.coordinates, read_volume(desikan_killiany(), dtype=np.int32))
    agreement = dice(labels, subject.labels, SUBCORTEX)
    assert agreement.mean() > 0.8, agreement
