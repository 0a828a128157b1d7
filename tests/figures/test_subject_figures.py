import made_up_results as made_up
import numpy as np
import pytest
from PIL import Image

import draw_chi_maps
import draw_subject
from qsmiron.figures.nuclei import nuclei_of
from qsmiron.volumes import write_text, write_volume


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
