"""Tissue probabilities: priors, segmentation, labels, and the script that writes them."""

import json

import nibabel as nib
import numpy as np
import pytest
from heads import dice, points, reference
from scipy import ndimage

from label_tissues import main
from qsmiron.regions.label_table import read_label_table
from qsmiron.registration.field_of_view import TISSUES_BEYOND
from qsmiron.registration.tissues import (
    PROBABILITY_STEP,
    TissueParameters,
    segment_tissues,
    template_priors,
    tissue_labels,
)
from qsmiron.volumes import Volume, read_json, read_volume, write_scaled_volume


def test_priors_add_up_to_one_everywhere():
    template = reference()
    affine = np.diag([9.0, 9, 9, 1])
    affine[:3, 3] = -110, -150, -100
    priors = template_priors(template.grey, template.white, points((25, 28, 25), affine))
    np.testing.assert_allclose(priors.sum(axis=-1), 1, atol=1e-5)
    assert priors.min() >= 0
    assert (priors[0, 0, 0] == [0, 0, 1]).all()
    assert (priors.max(axis=(0, 1, 2)) > 0.9).all()


def test_priors_are_grey_white_fluid_in_this_order():
    """Also where grey and white together exceed 1."""
    levels = np.array([[255, 0, 0, 204], [0, 255, 0, 204]], np.float32).reshape(2, 4, 1, 1)
    grey, white = (Volume(image, np.eye(4)) for image in levels)
    priors = template_priors(grey, white, points((4, 1, 1), np.eye(4)))[:, 0, 0]
    np.testing.assert_allclose(priors, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]], atol=1e-6)


VALUES = np.array([0.0, 0.55, 0.8, 0.2])


def _phantom(seed=0):
    """Shells of fluid, grey and white matter with folds: image, brain, truth, soft priors."""
    random = np.random.default_rng(seed)
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -40, -44, -36
    shape = (40, 44, 38)
    x, y, z = np.moveaxis(points(shape, affine), -1, 0)
    folds = 4 * ndimage.gaussian_filter(random.standard_normal(shape), 2) * 15
    radius = np.sqrt(x**2 + (0.9 * y) ** 2 + (1.1 * z) ** 2) + folds
    truth = np.select([radius < 7, radius < 20, radius < 29, radius < 34], [3, 2, 1, 3], 0)
    brain = truth > 0
    image = VALUES[truth] + 0.07 * random.standard_normal(shape)
    soft = [ndimage.gaussian_filter((truth == each).astype(float), 1.5) for each in (1, 2, 3)]
    soft[2] += 1 - sum(soft)
    return Volume(image.astype(np.float32), affine), brain, truth, np.stack(soft, -1)


@pytest.mark.parametrize("contrast", ["T1w", "inverted"])
def test_classes_of_a_noisy_image_are_recovered(contrast):
    """The priors and not the brightness say which class is which."""
    image, brain, truth, priors = _phantom()
    if contrast == "inverted":
        image = Volume(1.5 - image.data, image.affine)
    found = segment_tissues(image, brain, priors, TissueParameters())
    by_prior = np.where(brain, 1 + priors.argmax(axis=-1), 0)
    assert dice(truth, tissue_labels(found), [1, 2, 3]).min() > 0.95
    assert dice(truth, by_prior, [1, 2, 3]).min() < 0.93
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[brain].sum(axis=-1), 1, atol=1e-5)
    assert (found[~brain] == 0).all()
    mirrored = Volume(image.data[::-1], image.affine)
    again = segment_tissues(mirrored, brain[::-1], priors[::-1], TissueParameters())[::-1]
    np.testing.assert_allclose(found, again, atol=1e-4)


def test_a_class_that_is_not_there_and_an_image_without_noise():
    """A head without fluid, two grey levels: nothing is divided by nothing."""
    image, brain, truth, _ = _phantom()
    truth = np.where(truth == 3, 1, truth)
    priors = np.eye(3)[np.maximum(truth - 1, 0)]
    clean = Volume(VALUES[truth].astype(np.float32), image.affine)
    found = segment_tissues(clean, brain, priors, TissueParameters())
    assert np.isfinite(found).all()
    assert dice(truth, tissue_labels(found), [1, 2]).min() > 0.99


def test_the_likeliest_tissue():
    probabilities = np.array(
        [
            [0.6, 0.3, 0.1],
            [0.2, 0.5, 0.3],
            [0.1, 0.2, 0.7],
            [0.5, 0.5, 0.0],  # a tie goes to the first
            [0.0, 0.5, 0.5],
            [0.0, 0.0, 0.0],
            [0.2, 0.2, 0.05],  # less than half a voxel of brain
            [0.1, 0.4, 0.0],
        ],
        np.float32,
    )
    found = tissue_labels(probabilities)
    assert found.tolist() == [1, 2, 3, 1, 2, 0, 0, 2]
    assert found.dtype == np.int16


@pytest.fixture
def files(tmp_path):
    probabilities = np.random.default_rng(1).dirichlet((1, 1, 1), (5, 6, 7))
    probabilities[0] = 0
    probabilities[1] *= 0.3
    affine = np.diag([-2.0, 2, 3, 1])
    write_scaled_volume(
        tmp_path / "tissues.nii.gz", probabilities, affine, PROBABILITY_STEP, {"Units": "1"}
    )
    table = "index\tname\themisphere\n1\tgrey_matter\tB\n2\twhite_matter\tB\n3\tcsf\tB\n"
    (tmp_path / "Tissues.tsv").write_text(table)
    arguments = {
        "tissues": tmp_path / "tissues.nii.gz",
        "label-table": tmp_path / "Tissues.tsv",
        "labels": tmp_path / "out/tissues_dseg.nii.gz",
        "weights": tmp_path / "out/weights.nii.gz",
    }
    return probabilities, affine, arguments


def _run(arguments):
    main([part for key, value in arguments.items() for part in (f"--{key}", str(value))])


def test_script(files):
    probabilities, affine, arguments = files
    _run(arguments)
    labels = read_volume(arguments["labels"], np.int32)
    expected = np.where(probabilities.sum(-1) > 0.5, 1 + probabilities.argmax(-1), 0)
    # probabilities closer than a step may be a tie in the file
    top = np.sort(probabilities, axis=-1)
    clear = (top[..., 2] - top[..., 1] > 2 * PROBABILITY_STEP) | (expected == 0)
    np.testing.assert_array_equal(labels.data[clear], expected[clear])
    assert clear.mean() > 0.95
    assert (labels.data[:2] == 0).all() and set(np.unique(labels.data)) == {0, 1, 2, 3}
    np.testing.assert_allclose(labels.affine, affine)
    assert nib.load(arguments["labels"]).get_data_dtype() == np.int16
    weights = read_volume(arguments["weights"]).data
    own = np.where(labels.data > 0, probabilities.max(-1), 0)
    np.testing.assert_allclose(weights, own, atol=0.51 * PROBABILITY_STEP)
    sidecar = read_json(arguments["labels"].with_name("tissues_dseg.json"))
    assert sidecar["LabelsSource"] == "tissues"
    beside = arguments["labels"].with_name("tissues_dseg.tsv")
    assert read_label_table(beside) == read_label_table(arguments["label-table"])


def test_what_the_scan_does_not_show_stands_beside_the_labels(files, tmp_path):
    _, _, arguments = files
    registration = tmp_path / "registration.json"
    registration.write_text(json.dumps({TISSUES_BEYOND: {"1": 40, "3": 7}}))
    _run({**arguments, "registration": registration})
    table = read_label_table(arguments["labels"].with_name("tissues_dseg.tsv"))
    assert [label.n_beyond for label in table] == [40, 0, 7]


def test_script_without_weights_and_with_a_map_of_three_dimensions(files, tmp_path, capsys):
    _, affine, arguments = files
    del arguments["weights"]
    _run(arguments)
    assert not (tmp_path / "out/weights.nii.gz").exists()
    write_scaled_volume(tmp_path / "flat.nii.gz", np.ones((3, 3, 3)), affine, PROBABILITY_STEP)
    with pytest.raises(SystemExit):
        _run(arguments | {"tissues": tmp_path / "flat.nii.gz"})
    assert "flat.nii.gz: found 3 dimensions" in capsys.readouterr().err
