"""One scan that cannot be processed: the others are finished, and the group as the config says.

The broken echo is not the first, so that the input check, which reads that one, lets it pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.small_cohort import N_PARTICIPANTS, Run

from qsmiron.tables import read_table

pytestmark = pytest.mark.end_to_end


def damage(image: Path) -> None:
    """Flip the bits of one byte of a compressed image."""
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 255
    image.write_bytes(content)


def group_tables(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.results / "group").glob("*.tsv")}


def lines_about(scan: str, text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"  {scan}: ")]


def test_a_scan_that_fails_stops_the_group_or_is_left_out(demo_copy: Run) -> None:
    anat = demo_copy.results / "sourcedata/demo/sub-03/anat"
    image = anat / "sub-03_echo-4_part-phase_MEGRE.nii.gz"
    log = "results/logs/map_field/sub-03/sub-03_desc-main.log"
    whole, before = image.read_bytes(), group_tables(demo_copy)
    damage(image)

    strict = demo_copy.snakemake(check=False)
    assert strict.returncode != 0
    (line,) = lines_about("sub-03", strict.stderr)
    for words in ("map_field failed", image.name, "cannot be read", log):
        assert words in line
    assert "on_subject_failure: exclude" in strict.stderr
    assert "Traceback" not in strict.stderr
    assert group_tables(demo_copy) == before
    # though the maps made of the undamaged image are still there
    assert demo_copy.would_run()["map_field"] == 1

    lenient = Run(demo_copy.folder, {**demo_copy.settings, "on_subject_failure": "exclude"})
    planned = lenient.would_run()  # the record of the strict run is enough
    assert "map_field" not in planned
    assert planned["count_deposits"] % (N_PARTICIPANTS - 1) == 0

    image.touch()  # not the file that failed: it is tried, and the run goes on by itself
    assert lenient.would_run()["map_field"] == 1
    finished = lenient.snakemake()
    assert len(lines_about("sub-03", finished.stderr)) == 2  # when it failed, and at the end
    assert not (lenient.folder / ".snakemake/locks").exists()
    assert lenient.would_run() == {}
    quality = read_table(lenient.results / "group/quality.tsv", "quality")
    quality = quality.set_index("participant_id")
    assert quality["used"].to_dict() == {
        f"sub-{n:02d}": "no" if n == 3 else "yes" for n in range(1, N_PARTICIPANTS + 1)
    }
    for words in ("map_field failed", image.name, log):
        assert words in quality.loc["sub-03", "flags"]
    regions = read_table(lenient.results / "group/regions.tsv", "regions")
    assert set(regions["participant_id"]) == set(quality.index) - {"sub-03"}
    tests = read_table(lenient.results / "group/group_tests.tsv", "group_tests")
    pallidum = tests[(tests["region"] == "pallidum") & (tests["metric"] == "chi_mean")]
    assert set(pallidum["n_1"] + pallidum["n_2"]) == {N_PARTICIPANTS - 1}
    report = (lenient.results / "report.html").read_text()
    assert f"{N_PARTICIPANTS} participants, {N_PARTICIPANTS - 1} in the group results" in report

    image.write_bytes(whole)
    mended = lenient.would_run()
    assert mended["map_field"] == 1
    assert mended["count_deposits"] % N_PARTICIPANTS == 0
