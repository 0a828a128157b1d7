import made_up_results as made_up
import numpy as np
import pytest
from PIL import Image

import draw_chi_maps
import draw_subject
from qsmiron.figures.nuclei import nuclei_of
from qsmiron.figures.style import PALETTE
from qsmiron.registration.coordinates import write_coordinates
from qsmiron.registration.rigid_map import write_rigid_map
from qsmiron.spaces import grid_points
from qsmiron.template import template_t1w
from qsmiron.volumes import read_volume, write_text, write_volume


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    return made_up.write_subject(tmp_path_factory.mktemp("head"), step=4)


def page_arguments(head, output, *more):
    return [
        "--chi", str(head["chi"]), "--magnitude", str(head["magnitude"]),
        "--brain-mask", str(head["brain"]), "--reliable-mask", str(head["reliable"]),
        "--participant", "sub-01", "--output", str(output), *more,
    ]  # fmt: skip


def test_quality_page_with_and_without_labels(head, tmp_path):
    labels = ["--labels", str(head["labels"]), "--field", str(head["field"])]
    labels += ["--r2star", str(head["r2star"])]
    draw_subject.main(page_arguments(head, tmp_path / "with.png", *labels))
    draw_subject.main(page_arguments(head, tmp_path / "without.png"))
    with Image.open(tmp_path / "with.png") as full, Image.open(tmp_path / "without.png") as less:
        assert full.width == less.width == 1560
        assert full.info["Title"] == "Quality page of sub-01"
        colours = {
            tuple(pixel) for pixel in np.asarray(full.convert("RGB"), int)[::2].reshape(-1, 3)
        }
    # the putamen's outline is there, in its colour
    assert any(abs(r - 230) < 3 and abs(g - 159) < 3 and b < 3 for r, g, b in colours)
    assert not (tmp_path / "with.svg").exists()


def t1w_options(head, folder, shift=0.0):
    """Options for the template as T1w, the map to it, and the template lying ``shift`` mm off."""
    grid = read_volume(head["chi"])
    points = grid_points(grid.data.shape, grid.affine)
    moved = np.eye(4)
    moved[:3, 3] = 15, -4, 6
    image = read_volume(template_t1w())
    write_volume(folder / "T1w.nii.gz", image.data, moved @ image.affine)
    write_rigid_map(folder / "map.json", moved)
    write_coordinates(folder / "coordinates.nii.gz", points + np.float32([shift, 0, 0]),
                      grid.affine)  # fmt: skip
    return {
        "--t1w": str(folder / "T1w.nii.gz"),
        "--gre-to-t1w": str(folder / "map.json"),
        "--coordinates": str(folder / "coordinates.nii.gz"),
    }


def first_column(path, columns):
    """The pixels of the page's first column below the headings, int (rows, columns, 3)."""
    with Image.open(path) as page:
        pixels = np.asarray(page.convert("RGB"), int)
    return pixels[140:-80, : pixels.shape[1] // columns]


def near(pixels, colour, tolerance=12):
    wanted = np.array([int(PALETTE[colour][i : i + 2], 16) for i in (1, 3, 5)])
    return (np.abs(pixels - wanted) <= tolerance).all(axis=-1)


def test_the_t1w_comes_first_with_the_edges_of_the_template(head, tmp_path):
    options = t1w_options(head, tmp_path)
    both = [part for pair in options.items() for part in pair]
    draw_subject.main(page_arguments(head, tmp_path / "edges.png", *both))
    draw_subject.main(page_arguments(head, tmp_path / "bare.png", *both[:4]))
    edges, bare = (first_column(tmp_path / name, 3) for name in ("edges.png", "bare.png"))
    sky, orange = near(edges, "sky"), near(edges, "orange")
    assert sky.sum() > 500 and orange.sum() > 500
    assert not near(bare, "sky").any() and not near(bare, "orange").any()
    with Image.open(tmp_path / "edges.png") as page:
        assert "white matter (orange)" in page.info["Description"]


def test_the_t1w_is_seen_through_its_map(head, tmp_path):
    options = t1w_options(head, tmp_path)
    grid = read_volume(head["chi"])
    seen = draw_subject.t1w_on_grid(options["--t1w"], options["--gre-to-t1w"], grid).data
    assert np.allclose(seen, read_volume(template_t1w()).data[::4, ::4, ::4], atol=0.1)


def test_a_misplaced_template_shows(head, tmp_path):
    centres = []
    for shift in (0.0, 10.0):
        options = t1w_options(head, tmp_path, shift)
        both = [part for pair in options.items() for part in pair]
        draw_subject.main(page_arguments(head, tmp_path / "page.png", *both))
        axial = first_column(tmp_path / "page.png", 3)
        axial = axial[: len(axial) // 4]
        centres.append(np.nonzero(near(axial, "sky"))[1].mean())
    # the template's coordinates are 10 mm to the right: it is seen 10 mm, 22 pixels, to the left
    assert 15 < centres[0] - centres[1] < 30


def test_a_page_with_everything_is_wider(head, tmp_path):
    every = [part for pair in t1w_options(head, tmp_path).items() for part in pair]
    for name in ("labels", "field", "r2star"):
        every += [f"--{name}", str(head[name])]
    draw_subject.main(page_arguments(head, tmp_path / "page.png", *every))
    with Image.open(tmp_path / "page.png") as page:
        assert page.width == 1872
        assert page.height < 1500


def test_iron_and_myelin_have_a_column_each(head, tmp_path):
    chi = read_volume(head["chi"])
    options = []
    for name, sign in (("paramagnetic", 1), ("diamagnetic", -1)):
        path = tmp_path / f"{name}.nii.gz"
        write_volume(path, sign * np.maximum(sign * chi.data, 0), chi.affine)
        options += [f"--{name}", str(path)]
    draw_subject.main(page_arguments(head, tmp_path / "page.png", *options))
    with Image.open(tmp_path / "page.png") as page:
        assert "χ of paramagnetic sources, χ of diamagnetic sources" in page.info["Description"]
        grey = np.asarray(page.convert("L"), int)[140:-80]
    # bright where there is much of either, so never in the same place of both columns
    columns = np.array_split(grey, 4, axis=1)
    width = min(column.shape[1] for column in columns)
    iron, myelin = (column[:, :width] > 200 for column in columns[2:])
    assert iron.sum() > 100
    assert not (iron & myelin).any()


def test_a_t1w_without_its_map_is_refused(head, tmp_path, capsys):
    options = t1w_options(head, tmp_path)
    output = tmp_path / "page.png"
    with pytest.raises(SystemExit):
        draw_subject.main(page_arguments(head, output, "--t1w", options["--t1w"]))
    assert "--gre-to-t1w" in capsys.readouterr().err
    assert not output.exists()


def test_another_grid_is_refused(head, tmp_path, capsys):
    other = tmp_path / "other.nii.gz"
    write_volume(other, np.ones((5, 5, 5), np.float32), np.eye(4))
    arguments = page_arguments(head, tmp_path / "page.png", "--r2star", str(other))
    with pytest.raises(SystemExit):
        draw_subject.main(arguments)
    assert "other.nii.gz" in capsys.readouterr().err
    assert not (tmp_path / "page.png").exists()


def test_chi_maps_name_the_nuclei_and_stay_small(head, tmp_path):
    draw_chi_maps.main(
        ["--chi", str(head["chi"]), "--labels", str(head["labels"]), "--participant", "sub-01",
         "--output", str(tmp_path / "chi.png")]
    )  # fmt: skip
    svg = (tmp_path / "chi.svg").read_text()
    for name in ("caudate", "putamen", "pallidum", "amygdala", "χ (ppb)"):
        assert name in svg
    assert len(svg) < 1_500_000


def test_a_freesurfer_table_is_understood(tmp_path):
    table = tmp_path / "dseg.tsv"
    write_text(
        table, "index\tname\n10\tLeft-Thalamus-Proper\n49\tRight-Thalamus-Proper\n"
        "12\tLeft-Putamen\n"
        "26\tLeft-Accumbens-area\n1002\tctx-lh-cuneus\n",
    )  # fmt: skip
    assert nuclei_of(tmp_path / "dseg.nii.gz") == {
        "putamen": [12], "thalamus": [10, 49], "accumbens": [26],
    }  # fmt: skip
