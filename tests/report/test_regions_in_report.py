"""What the report says of atlases, segmentations, tissues and the choice of voxels."""

import json
import re
from pathlib import Path

import made_up_results as made_up
import pandas as pd
import pytest
import yaml

import write_methods
import write_report
from qsmiron.config import load_config
from qsmiron.figures.wording import format_probability, metric
from qsmiron.report.cautions import assumptions, cautions
from qsmiron.report.headline_table import SETS
from qsmiron.report.methods_text import methods_text
from qsmiron.report.null_rates_table import null_rates_tables
from qsmiron.report.region_table import region_table
from qsmiron.report.regions_text import selection_words
from qsmiron.tables import write_table

HOME = Path(__file__).parents[2]
MIXTURE = "10.1109/42.811270"
TISSUES = ["grey_matter", "white_matter", "csf", "brain"]


def config(**changes):
    """The committed configuration with these blocks in place of its own."""
    return load_config(yaml.safe_load((HOME / "config/config.yaml").read_text()) | changes)


def only(**atlases):
    return config(atlases={name: {"label_table": "t.tsv"} | keys for name, keys in atlases.items()})


def with_tissues(table):
    """A group table whose first four regions come again as those of the atlas tissues."""
    index = table["index"].unique()[: len(TISSUES)]
    names = dict(zip(index, TISSUES, strict=True))
    tissues = table[table["index"].isin(index)]
    tissues = tissues.assign(
        atlas="tissues", region=tissues["index"].map(names), hemisphere="B", p=tissues["p"] / 1000
    )
    return pd.concat([tissues, table], ignore_index=True)  # not in the order of the config


def regions_of(**labels_source):
    """A regions table of one row a scan; ``sub_01="segmentation"``."""
    rows = [
        {"participant_id": name, "session": None, "atlas": "DK", "labels_source": origin}
        for name, origin in labels_source.items()
    ]
    return pd.DataFrame(rows)


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["group_tests", "correlations"])
def test_the_first_rows_are_those_of_one_atlas(name):
    table = getattr(made_up, name)()
    alone = region_table(table, name)
    assert "Atlas" not in alone["columns"]
    assert json.loads(alone["json"])["chosen"] == {}
    both = region_table(pd.concat([table, with_tissues(table).query("atlas == 'tissues'")]), name)
    assert both["columns"] == ["Atlas", *alone["columns"]]
    assert both["rows"] == [["DK", *row] for row in alone["rows"]]
    payload = json.loads(both["json"])
    assert payload["chosen"] == {"atlas": "DK"}
    assert {row[0] for row in payload["rows"]} == {"DK", "tissues"}
    assert len(payload["rows"]) == both["total"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    made_up.write_tables(folder, ["recovery", "quality", "null_rates"])
    for name in ("group_tests", "correlations"):
        table = with_tissues(getattr(made_up, name)())
        write_table(table, folder / f"group/{name}.tsv", name)
    rates = made_up.null_rates()
    write_table(pd.concat([rates, rates.assign(atlas="tissues")]),
                folder / "group/null_rates.tsv", "null_rates")  # fmt: skip
    quality = made_up.quality().assign(brain_overlap=0.95, volume_outliers=0.0)
    quality["labels_source"] = ["segmentation", *["atlas"] * (len(quality) - 1)]
    quality.loc[2, "volume_outliers"] = 7
    write_table(quality, folder / "group/quality.tsv", "quality")
    regions = made_up.regions()
    own = regions["participant_id"] == "sub-01"
    regions = regions.assign(labels_source=own.map({True: "segmentation", False: "atlas"}))
    write_table(regions, folder / "group/regions.tsv", "regions")
    settings = str(HOME / "config/config.yaml")
    write_methods.main(["--config", settings, "--output", str(folder / "methods.md"),
                        "--regions", str(folder / "group/regions.tsv")])  # fmt: skip
    write_report.main(["--results", str(folder), "--config", settings,
                       "--output", str(folder / "report.html")])  # fmt: skip
    return (folder / "report.html").read_text()


def section(text, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)[1]


def test_every_question_is_counted_atlas_by_atlas(text):
    table = re.search(r'<table class="counts">(.*?)</table>', text, re.DOTALL)[1]
    head = re.findall(r"<th>(.*?)</th>", table)
    assert head[:3] == ["Atlas", "Contrast or score", "Cells"]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    asked = ["Progression", "Phenotype", "ALSFRS-R", "UMN score", "ECAS total"]
    # made-up tests have the contrasts in another order than the config
    assert sorted(row[:2] for row in rows) == sorted(
        [atlas, question] for atlas in ("DK", "tissues") for question in asked
    )
    assert [row[0] for row in rows] == ["DK"] * 5 + ["tissues"] * 5
    tests = made_up.group_tests()
    # iron by the line is the test of mean χ once more
    cells = tests[(tests["contrast"] == "progression") & tests["metric"].isin(SETS)]
    raw, adjusted = (cells[cells["arm"] == arm] for arm in ("replication", "rigorous"))
    tested = int(raw["p"].notna().sum())
    (dk,) = [row for row in rows if row[:2] == ["DK", "Progression"]]
    assert dk[2:] == [
        f"{tested}",
        f"{(raw['p'] < 0.05).sum()}",
        f"{0.05 * tested:.1f}",
        *(f"{(adjusted[key] < 0.05).sum()}" for key in ("p", "q")),
        "n/a",  # made-up tests have no p max-T
    ]
    assert adjusted["p_maxt"].isna().all()
    (tissues,) = [row for row in rows if row[:2] == ["tissues", "Progression"]]
    assert 0 < int(tissues[2]) <= 4 * len(SETS)  # of four regions


def test_findings_are_those_of_the_atlas_configured_first(text):
    found = section(text, "findings")
    assert "shown here: DK" in found
    assert "grey matter" not in found


def test_false_positive_rates_have_a_table_per_atlas(text):
    found = section(text, "null-rates")
    assert re.findall(r"<h3>(.*?)</h3>", found) == ["DK", "tissues"]
    rates = made_up.null_rates()
    for table in re.findall(r"<table.*?</table>", found, re.DOTALL):
        rows = [
            re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table)
        ]
        arms = ("replication", "rigorous")
        assert rows[0][2:] == [f"{name}, {arm}" for name in made_up.CONTRASTS for arm in arms]
        shown = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert [row["Metric"] for row in shown] == [
            metric(name).label for name in rates["metric"].unique()
        ]
        for _, rate in rates.iterrows():
            (row,) = [row for row in shown if row["Metric"] == metric(rate["metric"]).label]
            numbers = [format_probability(rate[key]) for key in ("rate", "rate_low", "rate_high")]
            assert row[f"{rate['contrast']}, {rate['arm']}"] == "{} [{}, {}]".format(*numbers)


def test_rates_without_any_cell_are_left_out():
    rates = made_up.null_rates()
    empty = rates["metric"] == "chi_sd"
    rates.loc[empty, "n_cells"] = 0
    (table,) = null_rates_tables(rates)
    assert table["name"] == ""
    assert "SD of χ" not in [row[0] for row in table["rows"]]
    assert null_rates_tables(rates[empty]) == []


def test_the_quality_table_shows_overlap_volumes_and_origins(text):
    rows = re.findall(r"<tr>(.*?)</tr>", section(text, "quality"))
    head = re.findall(r"<th>(.*?)</th>", rows[0])
    cells = [dict(zip(head, re.findall(r"<td>(.*?)</td>", row), strict=True)) for row in rows[1:4]]
    assert [row["Labels"] for row in cells] == ["segmentation", "atlas", "atlas"]
    assert [row["Odd volumes"] for row in cells] == ["0", "0", "7"]
    assert {row["Brain overlap"] for row in cells} == {"0.95"}


def test_the_report_tells_of_mixed_origins_twice(text):
    said = "1 of 38 scans come from the subjects' own segmentations"
    page = text.replace("&#39;", "'")
    assert said in section(page, "methods")
    assert said in section(page, "cautions")


# --- texts ---------------------------------------------------------------------------------------


def test_what_found_the_tissues_is_cited_where_tissues_count():
    assert MIXTURE in methods_text(config(), None)
    assert "The regions of the atlas tissues are these tissues" in methods_text(config(), None)
    # the white matter next to the cortex is told by them
    assert MIXTURE in methods_text(only(DK={}), None)
    assert "are these tissues" not in methods_text(only(DK={}), None)


def test_each_atlas_is_named_for_what_it_is():
    default = methods_text(config(), None)
    assert "10.1016/j.neuroimage.2006.01.021" in default
    assert "10.1016/j.neuroimage.2010.07.033" in default
    other = methods_text(only(AAL={"image": "x/aal.nii", "template": "x/ch2.nii"}), None)
    assert "10.1016/j.neuroimage.2006.01.021" not in other
    assert "10.1016/j.neuroimage.2010.07.033" in other  # registration is to that template still
    assert "Labels of the atlas AAL (aal.nii), through its own template (ch2.nii)" in other
    none = methods_text(only(tissues={"image": "tissues"}), None)
    assert "Labels of the" not in none
    assert "None" not in default + other + none


def test_the_methods_count_the_segmentations():
    own = only(DK={"segmentation": "{folder}.mgz"})
    mixed = regions_of(a="segmentation", b="atlas", c="atlas")
    said = methods_text(own, None, regions=mixed)
    assert (
        "Labels of 1 of 3 scans come from the subjects' own segmentations, those of the others "
        "from the atlas." in said
    )
    every = methods_text(own, None, regions=regions_of(a="segmentation", b="segmentation"))
    assert "2 of 2 scans come from the subjects' own segmentations." in every
    assert "segmentations" not in methods_text(own, None, regions=regions_of(a="atlas"))
    assert "segmentations where they exist" in methods_text(own, None)


def test_only_the_options_that_are_on_are_named():
    assert selection_words(config()) == []
    assert "with these choices" not in methods_text(config(), None)
    chosen = config(
        regions={"deep_erosion": 1.5, "cortex_grey_matter": 0.6, "exclude_veins": True,
                 "vein_robust_sd": 4, "outlier_robust_sd": 5, "minimum_coverage": 0.25,
                 "partial_volume_weights": True}
    )  # fmt: skip
    assert len(selection_words(chosen)) == 6
    for words in ("within 1.5 mm of", "at least 0.6", "more than 4 robust", "farther than 5",
                  "less than 25 %", "weighted by the fraction"):  # fmt: skip
        assert words in methods_text(chosen, None)
        assert words in " ".join(assumptions(chosen))


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        (config(), True),
        (only(DK={}), False),
        (config(reconstruction={"reference": {"region": "csf"}}), False),
        (config(reconstruction={"reference": {"region": "brain", "atlas": "DK"}}), False),
        (config(reconstruction={"reference": {"region": "csf"}},
                variants={"main": {}, "whole": {"reference": {"region": "brain"}}}), True),
    ],
)  # fmt: skip
def test_a_mean_that_is_zero_by_construction_is_warned_of(settings, warned):
    assert ("zero by construction" in " ".join(cautions(settings))) is warned


def test_cautions_are_about_this_run():
    assert "accumbens" in " ".join(cautions(only(DK={})))
    assert "accumbens" not in " ".join(cautions(only(AAL={"image": "aal.nii"})))
    mixed = regions_of(a="segmentation", b="atlas")
    own = only(DK={"segmentation": "s.mgz"})
    assert "draw borders differently" in " ".join(cautions(own, mixed))
    assert "borders" not in " ".join(cautions(own, regions_of(a="segmentation")))
    without = regions_of(a="atlas", b="atlas", c="atlas_without_t1w")
    said = " ".join(cautions(only(DK={}), without))
    assert "Labels of 1 of 3 scans, without a T1w" in said and "draw borders differently" in said
    assert "comes back smaller" in said
    ready = config(maps={"chi": "maps/{entities}_Chimap.nii.gz"})
    assert "comes back smaller" not in " ".join(cautions(ready))
