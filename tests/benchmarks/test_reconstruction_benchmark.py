"""The benchmark runs and says what it says it does; its phantoms are physically possible."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from benchmarks import chains, phantoms, real_tissue, reconstruction
from scipy import ndimage

from qsmiron import background, inversion
from qsmiron.methods import Method
from qsmiron.simulation import signal, subject
from qsmiron.spectral import convolve_dipole
from qsmiron.volumes import voxel_size


@pytest.fixture(scope="module")
def head():
    return phantoms.head("sub-01", 2.0)


def made(make):
    """The phantom, or a skip that says what is missing."""
    try:
        return make()
    except phantoms.PhantomUnavailableError as error:
        pytest.skip(str(error))


# --- The command ---------------------------------------------------------------------------------
def test_the_table_of_two_chains_on_a_coarse_head(tmp_path, capsys):
    output = tmp_path / "table.tsv"
    methods = "vsharp+tkd,given+rts"
    options = ["--phantom", "head", "--voxel-size", "4", "--methods", methods, "--threads", "1"]
    assert reconstruction.main([*options, "--output", str(output)]) == 0

    printed = capsys.readouterr().out
    head, _, *rows = [line for line in printed.splitlines() if line.startswith("|")]
    headings = [cell.strip() for cell in head.strip("|").split("|")]
    assert headings == [heading for heading, _ in reconstruction.COLUMNS.values()]
    assert len(rows) == 2
    share = float(re.search(r"([\d.]+) % of the brain", printed)[1])
    assert 50 < share < 100

    with output.open() as file:
        chain, given = csv.DictReader(file, delimiter="\t")
    assert [*chain] == ["phantom", *reconstruction.COLUMNS]
    assert (chain["chain"], given["chain"]) == ("vsharp + tkd", "given local field + rts")
    of_background = {"local_nrmse", "field_map_s", "background_s"}
    too_coarse = {"rim_error"}  # the first voxels are 4 mm deep
    assert {key for key, value in given.items() if value == "n/a"} == of_background | too_coarse
    assert {key for key, value in chain.items() if value == "n/a"} == too_coarse
    texts = {"phantom", "chain"} | too_coarse
    values = {key: float(value) for key, value in chain.items() if key not in texts}
    # Only V-SHARP shrinks a mask here, so that what all kept is what it kept.
    assert values["kept"] == pytest.approx(share, abs=0.06)
    assert values["total_s"] == pytest.approx(
        values["field_map_s"] + values["background_s"] + values["inversion_s"]
    )
    assert values["regional_error"] == pytest.approx(values["residual_sd"] / values["slope"])
    assert 50 < values["peak_mb"] < 2000
    assert float(given["nrmse"]) < values["nrmse"] < 100
    assert float(given["xsim"]) > values["xsim"] > 0


def test_a_chain_that_fails_has_a_row_of_its_own(tmp_path, monkeypatch, capsys):
    """Its error is told and the others are judged without it."""
    failing = Method("no_such_module", "function", "Parameters", "")
    costs = [{"output": str(tmp_path / "chain-0"), "error": "ModuleNotFoundError: no_such_module"}]
    monkeypatch.setitem(background.METHODS, "failing", failing)
    inputs, truth = tmp_path / "inputs", tmp_path / "truth"
    inputs.mkdir()
    truth.mkdir()
    np.save(inputs / "mask.npy", np.ones((8, 8, 8), bool))
    (inputs / "acquisition.json").write_text(
        '{"name": "made up", "affine": [[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}'
    )
    for name in ("chi", "local_field", "labels"):
        np.save(truth / f"{name}.npy", np.zeros((8, 8, 8), np.uint8))
    (truth / "regions.json").write_text('{"homologous": [], "deep": []}')
    rows = reconstruction.judge(tmp_path, [chains.named_chain("failing+rts")], costs)
    assert rows == [{"phantom": "made up", "chain": "failing + rts"}]
    assert "no_such_module" in capsys.readouterr().err
    assert reconstruction.markdown_table(rows).count("n/a") == len(reconstruction.COLUMNS) - 1


def test_every_method_of_the_registries_has_its_rows():
    rows = chains.default_chains()
    pairs = {(chain.background, chain.inversion) for chain in rows}
    for name in set(background.METHODS) - chains.ON_REQUEST:
        assert any(first == name for first, _ in pairs)
    for name in inversion.METHODS:
        assert (None, name) in pairs
        assert any(second == name for first, second in pairs if first)
    assert [chain.background for chain in chains.default_chains(False)] == [None] * (
        2 + len(inversion.METHODS)
    )


def test_the_peers_parameters_are_explicit_and_accepted():
    peer, *others = chains.default_chains()
    assert all(chain.resolved() for chain in others)
    assert peer.background_parameters == chains.PEER_VSHARP
    for value in ('"largest_radius": 12.0', '"smallest_radius": 1.0', '"threshold": 0.2'):
        assert value in peer.resolved()
    for value in ('"delta": 0.15', '"mu": 100000.0', '"rho": 10.0', '"iterations": 20'):
        assert value in peer.resolved()


def test_a_missing_phantom_is_told(tmp_path, capsys):
    assert reconstruction.main(["--phantom", "cosmos", "--data", str(tmp_path)]) == 1
    assert "slabA_phs.nii.gz" in capsys.readouterr().err


# --- The phantoms --------------------------------------------------------------------------------
def laplacian_ratio(phantom: phantoms.Phantom, depth: int) -> float:
    """RMS of the discrete Laplacian of the background over that of the local field.

    Within ``depth`` voxels of the mask's edge the stencil reaches what surrounds the brain, where
    the background has its sources.
    """
    inside = ndimage.binary_erosion(phantom.mask, iterations=depth)
    parts = (phantom.total_field - phantom.local_field, phantom.local_field)
    of_background, of_local = (
        np.sqrt(np.mean(ndimage.laplace(part.astype(float))[inside] ** 2)) for part in parts
    )
    return float(of_background / of_local)


def test_the_heads_background_is_harmonic_in_the_mask(head):
    assert laplacian_ratio(head, depth=2) < 0.02


def test_a_shim_that_is_not_harmonic_would_be_noticed(head):
    x = np.linspace(-1, 1, head.mask.shape[0])[:, None, None]
    wrong = {**vars(head), "total_field": head.total_field + 2 * x**2}
    assert laplacian_ratio(phantoms.Phantom(**wrong), depth=2) > 0.02


def test_the_head_is_cut_to_the_brain_with_its_geometry(head):
    whole = subject.simulate_subject(
        subject.read_plan(phantoms.HOME / "config/demo/plan.tsv")["sub-01"], 4.0
    )
    coarse = phantoms.head("sub-01", 4.0)
    assert coarse.mask.sum() == whole.brain.sum()
    offset = np.linalg.solve(whole.affine[:3, :3], coarse.affine[:3, 3] - whole.affine[:3, 3])
    start = np.rint(offset).astype(int)
    assert offset == pytest.approx(start)
    box = tuple(slice(s, s + n) for s, n in zip(start, coarse.mask.shape, strict=True))
    np.testing.assert_array_equal(coarse.chi, whole.chi[box])
    np.testing.assert_array_equal(coarse.echoes, whole.echoes[(slice(None), *box)])
    assert head.b0_direction == pytest.approx(coarse.b0_direction)


def test_air_and_bone_have_the_values_they_are_said_to_have(monkeypatch):
    """They are found in the field: the background is a sum of theirs, the fluid's and the shim."""
    assert (signal.AIR_CHI_PPM, signal.BONE_CHI_PPM) == (9.4, -2.1)
    seen = {}

    def spy(chi, tissues, crop, threads=1):
        seen.update(tissues=tissues, crop=crop)
        return signal.simulate_fields(chi, tissues, crop, threads)

    monkeypatch.setattr(subject, "simulate_fields", spy)
    phantom = phantoms.head("sub-01", 4.0)
    tissues, crop = seen["tissues"], seen["crop"]
    # What is air is told by 1 − air: the space around the grid is air, which makes no field then.
    sources = (tissues.air - 1, tissues.bone, tissues.outer_fluid)
    geometry = voxel_size(tissues.affine), phantom.b0_direction
    columns = [convolve_dipole(source, *geometry)[crop] for source in sources]
    inside = np.argwhere(tissues.brain[crop])
    lowest = np.array([part.start or 0 for part in crop])
    points = (inside + lowest) @ tissues.affine[:3, :3].T + tissues.affine[:3, 3]
    design = np.column_stack(
        [*(column[tuple(inside.T)] for column in columns), signal.solid_harmonics(points / 100)]
    )
    measured = (phantom.total_field - phantom.local_field)[phantom.mask]
    (air, bone, fluid, *_), *_ = np.linalg.lstsq(design, measured, rcond=None)
    assert air == pytest.approx(signal.AIR_CHI_PPM, abs=0.01)
    assert bone == pytest.approx(signal.BONE_CHI_PPM, abs=0.01)
    assert fluid == pytest.approx(signal.OUTER_FLUID_CHI_PPM, abs=0.01)


def test_the_ellipsoids_of_qsm_forward():
    phantom = made(lambda: phantoms.qsm_forward(3.0))
    labels = set(np.unique(phantom.labels)) - {0}
    assert labels == set(range(1, phantoms.MIDLINE_LABEL + 1))
    assert {label for pair in phantom.homologous for label in pair} == labels - {
        phantoms.MIDLINE_LABEL
    }
    # Left of the middle lies on the left.
    x = np.argwhere(phantom.labels == phantom.homologous[0][0]) @ phantom.affine[0, :3]
    assert (x + phantom.affine[0, 3] < 0).all()
    assert laplacian_ratio(phantom, depth=2) < 0.03
    # Its signal follows its field, in our sign and unit.
    turn = np.angle(phantom.echoes[1] * phantom.echoes[0].conj())
    interval = phantom.echo_times[1] - phantom.echo_times[0]
    expected = 2 * np.pi * 42.577478 * phantom.field_strength * interval * phantom.total_field
    difference = np.angle(np.exp(1j * (turn - expected)))[phantom.mask]
    assert abs(np.median(difference)) < 0.005
    # And its local field is about what we make of its χ.
    ours = convolve_dipole(phantom.chi, phantom.voxel_size, phantom.b0_direction)
    inside = ndimage.binary_erosion(phantom.mask, iterations=2)
    assert np.corrcoef(ours[inside], phantom.local_field[inside])[0, 1] > 0.98


def test_the_in_vivo_slabs_have_their_b0_where_they_are_said_to():
    for slab in made(phantoms.cosmos_slabs):
        assert slab.chi.shape == slab.local_field.shape == slab.mask.shape
        fields = [
            convolve_dipole(slab.chi[::2, ::2, ::2], (2, 2, 2), direction)
            for direction in np.eye(3)
        ]
        inside = slab.mask[::2, ::2, ::2]
        measured = slab.local_field[::2, ::2, ::2][inside]
        agreement = [np.corrcoef(field[inside], measured)[0, 1] for field in fields]
        assert np.argmax(agreement) == 2
        assert agreement[2] > 0.6
        assert slab.b0_direction == pytest.approx([0, 0, 1])


def test_a_texture_is_added_to_chi_and_its_field_to_the_signal():
    smooth, textured = phantoms.head("sub-01", 4.0), real_tissue.textured_head("sub-01", 4.0)
    chi = textured.chi - smooth.chi
    assert chi[smooth.mask].std() == pytest.approx(real_tissue.TEXTURE_PPM, rel=0.01)
    assert not chi[~smooth.mask].any()
    field = convolve_dipole(chi, smooth.voxel_size, smooth.b0_direction)
    np.testing.assert_allclose(textured.local_field - smooth.local_field, field, atol=1e-6)
    np.testing.assert_allclose(textured.total_field - smooth.total_field, field, atol=1e-6)
    rad = 2 * np.pi * 42.577 * smooth.field_strength * smooth.echo_times[2] * field
    turned = textured.echoes[2] / smooth.echoes[2]
    np.testing.assert_allclose(turned[smooth.mask], np.exp(1j * rad)[smooth.mask], atol=1e-3)


def test_slabs_as_truth_have_a_harmonic_background_and_its_signal():
    for slab in made(real_tissue.tissue_slabs):
        assert laplacian_ratio(slab, depth=1) < 0.02
        background = (slab.total_field - slab.local_field)[slab.mask]
        assert background.std() > 8 * slab.local_field[slab.mask].std()
        step = slab.echoes[1] * slab.echoes[0].conj()
        rad = 2 * np.pi * 42.577 * 3 * 0.004 * slab.total_field
        off = np.angle(step * np.exp(-1j * rad))[slab.mask]
        assert np.abs(np.median(off)) < 1e-3
        assert off.std() == pytest.approx(np.sqrt(2) / real_tissue.SNR * 1.15, rel=0.1)
