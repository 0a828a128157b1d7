"""A further visit: the same head elsewhere, its true regional χ as planned."""

from pathlib import Path

import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.simulation.anatomy import AnatomyParameters
from qsmiron.simulation.atlas_regions import N_LABELS, label
from qsmiron.simulation.follow_up import VisitRow, read_visits, simulate_visit
from qsmiron.simulation.subject import first_brain, read_plan, simulate_subject

DEMO = Path(__file__).parents[2] / "config" / "demo"
VOXEL = 4.0
RATE = 0.005  # ppm/year


@pytest.fixture(scope="module")
def row():
    return read_plan(DEMO / "plan.tsv")["sub-03"]


@pytest.fixture(scope="module")
def first(row):
    return first_brain(row, VOXEL, AnatomyParameters())


@pytest.fixture(scope="module")
def visit(row):
    return simulate_visit(row, VisitRow("2", 10_003, 18.0, {("amygdala", "R"): RATE}), VOXEL)


def region_means(chi, labels):
    total = np.bincount(labels.ravel(), chi.ravel().astype(float), N_LABELS + 1)
    return total / np.bincount(labels.ravel(), minlength=N_LABELS + 1)


def test_the_first_brain_is_the_one_that_is_imaged(row, first):
    images = simulate_subject(row, VOXEL)
    below = first.chi.shape[2] - images.chi.shape[2]
    np.testing.assert_array_equal(first.chi[..., below:], images.chi)
    np.testing.assert_array_equal(first.tissues.labels[..., below:], images.labels)


def test_regions_have_the_first_visits_mean_and_the_planned_change(first, visit):
    before = region_means(first.chi, first.tissues.labels)[1:]
    after = region_means(visit.chi, visit.labels)[1:]
    whole = np.bincount(first.tissues.labels.ravel(), minlength=N_LABELS + 1)[1:]
    seen = np.bincount(visit.labels.ravel(), minlength=N_LABELS + 1)[1:]
    # the brainstem goes on below the image
    inside = seen > 0.8 * whole
    inside[label("brainstem", "B") - 1] = False
    expected = before.copy()
    expected[label("amygdala", "R") - 1] += RATE * 1.5
    assert inside.sum() > 75
    np.testing.assert_allclose(after[inside], expected[inside], atol=2e-7)


def test_texture_belongs_to_the_head(first, visit):
    """Deviations from the regions' means, at the same points of the head."""
    where = np.argwhere(visit.labels == label("putamen", "L"))
    points = where @ visit.affine[:3, :3].T + visit.affine[:3, 3]
    # template coordinates tell the same point
    there = visit.tissues.coordinates[:, *where.T]
    known = np.argwhere(first.tissues.labels == label("putamen", "L"))
    here = first.tissues.coordinates[:, *known.T]
    nearest = np.linalg.norm(there[:, :, None] - here[:, None], axis=0).argmin(axis=1)
    one = visit.chi[tuple(where.T)]
    two = first.chi[tuple(known[nearest].T)]
    assert len(points) > 40
    assert np.corrcoef(one, two)[0, 1] > 0.8


def test_position_grid_and_noise_are_the_visits_own(row, visit):
    first = simulate_subject(row, VOXEL)
    assert not np.allclose(first.affine, visit.affine, atol=0.01)
    assert not np.allclose(first.gre_to_t1w, visit.gre_to_t1w, atol=1e-3)
    other = simulate_visit(row, VisitRow("3", 20_003, 18.0), VOXEL)
    assert not np.array_equal(other.echoes, visit.echoes)
    again = simulate_visit(row, VisitRow("3", 20_003, 18.0), VOXEL)
    np.testing.assert_array_equal(other.echoes, again.echoes)


def test_the_plan_of_visits_is_read_or_refused(tmp_path):
    visits = read_visits(DEMO / "visits" / "plan.tsv")
    assert len(visits) == 4 * 38
    rates = [visits[f"sub-{n:02d}", "2"].rates["amygdala", "R"] for n in range(1, 25)]
    assert rates.count(RATE) == 12 and rates.count(0.0) == 12
    months = np.array([visits["sub-01", str(n)].months for n in range(1, 5)])
    assert months[0] == 0 and (np.diff(months) > 0).all()
    broken = tmp_path / "plan.tsv"
    broken.write_text("participant_id\tsession\tseed\nsub-01\t1\t1\n")
    with pytest.raises(InputError, match="a plan of visits"):
        read_visits(broken)
