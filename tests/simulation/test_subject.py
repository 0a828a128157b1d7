"""A simulated patient against what its plan says, at a coarse voxel size."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.acquisition import b0_direction
from qsmiron.errors import InputError
from qsmiron.simulation.anatomy import make_head_map, oblique_affine, tissues_on_grid
from qsmiron.simulation.atlas_regions import _LEFT, BRAINSTEM, is_deep, label, nucleus_chi
from qsmiron.simulation.signal import solid_harmonics
from qsmiron.simulation.subject import PlanRow, read_plan, simulate_subject
from qsmiron.simulation.susceptibility import DEPOSIT_THRESHOLDS_PPM
from qsmiron.tables import read_table

DEMO = Path(__file__).parents[2] / "config" / "demo"
TABLE = Path(__file__).parents[2] / "config" / "atlases" / "DesikanKilliany.tsv"
PPB = 1e-3
VOXEL = 2.5


@pytest.fixture(scope="module")
def row() -> PlanRow:
    return read_plan(DEMO / "plan.tsv")["sub-03"]


@pytest.fixture(scope="module")
def patient(row):
    return simulate_subject(row, VOXEL)


def test_labels_are_those_of_the_atlas_table():
    table = read_table(TABLE).set_index(["name", "hemisphere"])
    for name in _LEFT:
        for side in "LR":
            assert table.loc[(name, side), "index"] == label(name, side)
    assert table.loc[("brainstem", "B"), "index"] == BRAINSTEM
    deep = table["structure"] != "cortex"
    assert is_deep()[table["index"]].tolist() == deep.tolist()


def test_planted_means_and_sd_are_exact(patient, row):
    for (region, side, metric), value in row.planted.items():
        chi = patient.chi[patient.labels == label(region, side)].astype(float)
        if metric == "chi_mean":
            assert chi.mean() == pytest.approx(value, abs=1e-3 * PPB)
        elif metric == "chi_sd":
            assert chi.std() == pytest.approx(value, abs=1e-3 * PPB)


def test_planted_deposits_are_exact_to_the_voxel_and_stand_clear_of_the_threshold(patient, row):
    cells = [key for key in row.planted if key[2] == "deposit_fraction"]
    assert len(cells) == 3
    for region, side, metric in cells:
        chi = patient.chi[patient.labels == label(region, side)]
        threshold = DEPOSIT_THRESHOLDS_PPM[region]
        wanted = row.planted[region, side, metric]
        assert abs((chi > threshold).mean() - wanted) <= 0.5 / chi.size + 1e-9
        assert np.abs(chi - threshold).min() > 5 * PPB


def test_the_plan_is_met_at_another_voxel_size(row):
    patient = simulate_subject(row, 3.5)
    chi = patient.chi[patient.labels == label("thalamus", "L")].astype(float)
    assert chi.mean() == pytest.approx(row.planted["thalamus", "L", "chi_mean"], abs=1e-3 * PPB)
    assert patient.echoes.shape[1:] == patient.chi.shape


def test_every_planted_extreme_leaves_room_for_itself():
    """Mean and fraction of one region are planted apart: no patient's pair may collide."""
    for row in read_plan(DEMO / "plan.tsv").values():
        for region, threshold in DEPOSIT_THRESHOLDS_PPM.items():
            for side in "LR":
                fraction = row.planted.get((region, side, "deposit_fraction"), 0.15)
                mean = row.planted.get((region, side, "chi_mean"), 0.025)
                deposits = threshold + 80 * PPB
                rest = (mean - fraction * deposits) / (1 - fraction)
                assert rest < threshold - 25 * PPB


def test_tissues_and_nuclei_have_their_usual_values(patient):
    chi, tissues = patient.chi, patient.tissues
    white = (tissues.white > 0.95) & (tissues.labels == 0)
    assert np.median(chi[white]) == pytest.approx(-30 * PPB, abs=4 * PPB)
    for name, low, high in (("pallidum", 110, 190), ("putamen", 40, 100), ("caudate", 25, 70)):
        for side in "LR":
            mean = chi[tissues.labels == label(name, side)].mean()
            assert low * PPB < mean < high * PPB, name
    assert (chi[~tissues.brain] == 0).all()


def test_nuclei_gain_iron_with_age():
    for name in ("pallidum", "putamen", "caudate"):
        assert nucleus_chi(name, 80) > nucleus_chi(name, 40)


def test_the_anatomy_can_be_inverted(patient):
    jacobian = patient.head_map.jacobian
    assert jacobian.min() >= patient.head_map.parameters.smallest_jacobian
    assert jacobian.max() < 4


def test_every_region_is_in_the_image_and_the_brain_clear_of_its_edges(patient):
    for tissues in (patient.tissues, patient.t1w_tissues):
        assert set(np.unique(tissues.labels)) == set(range(84))
        inner = tuple(slice(1, -1) for _ in range(3))
        assert tissues.brain[inner].sum() == tissues.brain.sum()
        assert (tissues.labels[~tissues.brain] == 0).all()
        fractions = tissues.outer_fluid + tissues.bone + tissues.air + tissues.soft
        np.testing.assert_allclose(fractions[~tissues.brain], 1, atol=1e-5)


def test_air_keeps_off_the_brain_and_bone_too(patient):
    distance = ndimage.distance_transform_edt(~patient.brain, sampling=VOXEL)
    assert distance[patient.tissues.air > 0.01].min() >= 4
    assert distance[patient.tissues.bone > 0.01].min() >= 4
    sinus = (patient.tissues.air > 0.9) & (distance < 30)
    assert sinus.any()


def _laplacian(field: np.ndarray) -> np.ndarray:
    return sum(np.roll(field, 1, axis) + np.roll(field, -1, axis) - 2 * field for axis in range(3))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values.astype(float) ** 2).mean()))


def _relative_laplacian(field: np.ndarray, brain: np.ndarray, depth: int) -> float:
    inside = ndimage.binary_erosion(brain, iterations=depth)
    return _rms(_laplacian(field)[inside]) / field[inside].std()


@pytest.mark.parametrize(("depth", "bound"), [(1, 0.008), (3, 0.002)])
def test_the_background_is_harmonic_in_the_brain(patient, depth, bound):
    background = patient.fields.total - patient.fields.local
    assert _relative_laplacian(background, patient.brain, depth) < bound
    # The local field has its sources there, so that the measure can tell.
    assert _relative_laplacian(patient.fields.local, patient.brain, depth) > 100 * bound


def test_a_shim_with_independent_squares_would_be_noticed(patient):
    """The mistake to guard against: z² alone is no field of a coil outside the head."""
    z = np.linspace(-1, 1, patient.chi.shape[2])
    wrong = patient.fields.background + 0.5 * z**2
    assert _relative_laplacian(wrong, patient.brain, 3) > 2 * 0.002


def test_the_field_is_as_strong_as_such_a_head_can_make_it(patient):
    """Sources of −2.1 to 9.4 ppm: no more than a few ppm anywhere, tenths of it in the brain."""
    assert np.abs(patient.fields.total).max() < 10
    assert 0.03 < patient.fields.total[patient.brain].std() < 0.5
    assert 0.003 < patient.fields.local[patient.brain].std() < 0.03


def test_the_shim_is_harmonic():
    axis = np.arange(-3.0, 4.0)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"))
    values = solid_harmonics(grid.reshape(3, -1).T).reshape(*grid.shape[1:], 9)
    inner = (slice(1, -1),) * 3
    for index in range(9):
        np.testing.assert_allclose(_laplacian(values[..., index])[inner], 0, atol=1e-9)


def test_the_shim_takes_the_smooth_part_of_the_field(patient):
    total = patient.fields.total
    inside = np.argwhere(patient.brain)[::5]
    points = inside @ patient.affine[:3, :3].T + patient.affine[:3, 3]
    values = total[tuple(inside.T)].astype(float)
    weights = np.linalg.lstsq(solid_harmonics(points / 100), values, rcond=None)[0]
    assert np.abs(weights).max() < 1e-3


def test_grids_are_oblique_and_different(patient):
    for affine in (patient.affine, patient.t1w_tissues.affine):
        tilt = np.degrees(np.arccos(b0_direction(affine)[2]))
        assert 4 < tilt < 18
    assert patient.t1w.shape != patient.chi.shape
    directions = b0_direction(patient.affine), b0_direction(patient.t1w_tissues.affine)
    assert np.abs(directions[0] - directions[1]).max() > 0.01


def test_both_images_show_one_anatomy(patient):
    """A voxel of the GRE and the T1w voxel at the same place hold the same template point."""
    to_t1w = np.linalg.inv(patient.t1w_tissues.affine) @ patient.gre_to_t1w @ patient.affine
    gre = np.argwhere(patient.brain)[::997]
    index = np.rint(gre @ to_t1w[:3, :3].T + to_t1w[:3, 3]).astype(int)
    here = patient.tissues.coordinates[:, *gre.T]
    there = patient.t1w_tissues.coordinates[:, *index.T]
    distance = np.linalg.norm(here - there, axis=0)
    assert distance.max() < 1.6 * VOXEL  # half a voxel's diagonal, stretched


def test_signal_has_the_snr_and_the_field_that_it_was_made_with(patient):
    brain = ndimage.binary_erosion(patient.brain, iterations=4)
    first, second = patient.echoes[:2]
    turn = np.angle(second * first.conj())
    interval = patient.echo_times[1] - patient.echo_times[0]
    expected = 2 * np.pi * 42.577478 * patient.field_strength * interval * patient.fields.total
    difference = np.angle(np.exp(1j * (turn - expected)))[brain]
    assert abs(np.median(difference)) < 0.01
    air = patient.tissues.air > 0.999
    level = np.abs(first)[patient.brain].mean()
    assert level / first[air].real.std() == pytest.approx(80, rel=0.05)


def test_the_same_row_gives_the_same_patient_and_threads_do_not_matter(row):
    once = simulate_subject(row, 4.0)
    again = simulate_subject(row, 4.0, threads=2)
    np.testing.assert_array_equal(once.chi, again.chi)
    np.testing.assert_array_equal(once.echoes, again.echoes)
    np.testing.assert_array_equal(once.t1w, again.t1w)


def test_another_seed_is_another_anatomy():
    first, second = (make_head_map(np.random.default_rng(seed), 1.0, 0.01) for seed in (1, 2))
    assert np.abs(first.nodes - second.nodes).mean() > 1  # mm


def test_a_larger_ventricle_and_more_atrophy_leave_more_fluid():
    shape = (50, 60, 50)
    affine = oblique_affine(shape, 4.0, np.zeros(3), np.zeros(3))

    def fluid_and_brain(ventricles: float, atrophy: float) -> tuple[float, float]:
        head_map = make_head_map(np.random.default_rng(5), ventricles, atrophy)
        tissues = tissues_on_grid(head_map, shape, affine, np.eye(4))
        x, y, z = tissues.coordinates
        central = (np.abs(x) < 40) & (np.abs(y + 10) < 45) & (z > 0) & (z < 40)
        return tissues.fluid[central].sum(), tissues.brain.sum()

    small, large, shrunk = (fluid_and_brain(*both) for both in ((0, 0), (3, 0), (0, 0.04)))
    assert large[0] > 1.1 * small[0]
    assert 0.85 < shrunk[1] / small[1] < 0.92  # (1 / 1.04)³ = 0.889


def test_a_voxel_size_out_of_range_is_refused(row):
    with pytest.raises(InputError, match=r"0\.8 to 4 mm"):
        simulate_subject(row, 9.0)
