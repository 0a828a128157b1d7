import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import made_up_multiverse
import made_up_results as made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import draw_recovery
import write_methods
import write_report
from qsmiron.figures.style import save_figure
from qsmiron.quality import row_without_phase
from qsmiron.report.cautions import assumptions
from qsmiron.report.cohort_table import cohort_table
from qsmiron.report.config_reading import read_config
from qsmiron.report.markdown import to_html
from qsmiron.report.methods_text import methods_text
from qsmiron.report.pictures import quality_pictures
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.tables import write_table

CONFIG = json.dumps({"atlases": {"DK": {"label_table": "DK.tsv"}}})
VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """Collects elements, their nesting and what they would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.pictures, self.ids, self.wrong = [], [], [], [], []
        self.scripts = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag not in VOID:
            self.open.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        for key in ("src", "srcset", "poster", "data") + (("href",) if tag == "link" else ()):
            if found.get(key):
                self.loads.append(found[key])
        if tag == "img" and found.get("src"):
            self.pictures.append(found)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "script":
            self.scripts[self.open[-1][1].get("id", "")] = data


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = made_up.write_tables(
        tmp_path_factory.mktemp("results"),
        ["group_tests", "correlations", "recovery", "quality", "null_rates"],
    )
    draw_recovery.main(["--recovery", str(folder / "group/recovery.tsv"),
                        "--output", str(folder / "figures/recovery.png")])  # fmt: skip
    made_up_multiverse.write_tables(folder)
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1])
    first = folder / "figures/sub-01/sub-01_desc-main_quality.png"
    save_figure(figure, first, "t", "c", svg=False, dpi=100)
    # one page a subject; sub-99 and the contrast "old" are left from an earlier run
    for name in [*(f"sub-{number:02d}" for number in range(2, 39)), "sub-99"]:
        (folder / f"figures/{name}").mkdir()
        shutil.copy(first, folder / f"figures/{name}/{name}_desc-main_quality.png")
    shutil.copy(folder / "figures/recovery.png", folder / "figures/effects_old.png")
    for echo in (1, 2, 3):
        (folder / f"sub-01_echo-{echo}_part-mag_MEGRE.json").write_text(
            json.dumps({"EchoTime": 0.005 * echo, "MagneticFieldStrength": 3.0,
                        "RepetitionTime": 0.04, "Manufacturer": "Siemens"})
        )  # fmt: skip
    write_methods.main(
        ["--config", CONFIG, "--quality", str(folder / "group/quality.tsv"), "--sidecar",
         *map(str, sorted(folder.glob("*_MEGRE.json"))),
         "--output", str(folder / "methods.md")]
    )  # fmt: skip
    write_report.main(["--results", str(folder), "--config", CONFIG,
                       "--output", str(folder / "report.html")])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def text(results):
    return (results / "report.html").read_text()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_it_loads_nothing_from_anywhere(page, text):
    assert page.loads
    assert all(source.startswith("data:") for source in page.loads)
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"<script[^>]*\bsrc=", text)
    assert "fetch(" not in page.scripts[""]


def test_it_is_well_formed(page):
    assert not page.wrong
    assert not page.open
    assert len(page.ids) == len(set(page.ids))


def test_it_has_every_section_and_picture(page, text):
    for section in ("findings", "cohort", "figures", "tables", "recovery", "null-rates",
                    "quality", "methods", "cautions", "files"):  # fmt: skip
        assert section in page.ids
    assert len(page.pictures) == 1 + 38
    assert all(picture["alt"] for picture in page.pictures)
    assert "Not a medical device" in text
    assert "group/group_tests.tsv" in text
    assert "age-normal" in text
    assert len(text) < 40e6


def test_findings_stand_beside_this_cohort(text):
    section = text[text.index('id="findings"') : text.index('id="cohort"')]
    row = re.search(r"<tr><td>Susceptibility, L thalamus: differs by phenotype.*?</tr>", section)[0]
    cells = re.findall(r"<td>(.*?)</td>", row)
    tests = made_up.group_tests()
    found = tests[
        (tests["contrast"] == "phenotype") & (tests["region"] == "thalamus")
        & (tests["hemisphere"] == "L") & (tests["metric"] == "chi_mean")
        & (tests["arm"] == "replication")
    ].iloc[0]  # fmt: skip
    assert cells[2] == "p = .0014"
    assert cells[3] == "18 + 20"
    assert f"{found['effect']:.2f}"[1:] in cells[4]
    assert "UMN+ higher, p &lt; .05" in cells[-1]
    assert "a region not named" in section


def test_it_shows_how_robust_the_findings_are(text):
    section = text[text.index('id="findings"') : text.index('id="cohort"')]
    assert "<h3>Robustness</h3>" in section
    rows = re.findall(r"<tr><td>.*?</tr>", section[section.index("Robustness") :])
    assert len(rows) == len(made_up_multiverse.HEADLINES)
    assert all("sub-05" in row for row in rows)


def test_without_headline_findings_there_is_no_robustness(tmp_path):
    made_up.write_tables(tmp_path, ["group_tests", "quality"])
    write_report.main(["--results", str(tmp_path), "--config", CONFIG,
                       "--output", str(tmp_path / "report.html")])  # fmt: skip
    assert "<h3>Robustness</h3>" not in (tmp_path / "report.html").read_text()


def test_the_tables_carry_every_row(page):
    data = json.loads(page.scripts["data-group_tests"])
    assert len(data["rows"]) == len(made_up.group_tests())
    keys = [column["key"] for column in data["columns"]]
    assert {"contrast", "region", "metric", "effect", "p", "q"} <= set(keys)
    assert "p_perm" not in keys  # nothing in it yet
    row = next(r for r in data["rows"] if r[keys.index("metric")] == "Mean χ (ppb)")
    assert abs(row[keys.index("median_1")]) < 300
    assert abs(row[keys.index("median_1")]) > 0.5
    assert len(json.loads(page.scripts["data-correlations"])["rows"]) == len(made_up.correlations())


def test_every_row_says_whether_its_metric_is_primary(page):
    data = json.loads(page.scripts["data-group_tests"])
    place = [column["key"] for column in data["columns"]].index("role")
    roles = [row[place] for row in data["rows"]]
    table = made_up.group_tests()
    assert roles.count("primary") == int(table["metric"].isin(PRIMARY_METRICS.values()).sum())
    assert set(roles) <= {"primary", "exploratory", "not tested"}


def test_text_of_tables_is_escaped(text):
    assert "<script>alert(1)" not in text
    assert "motion &lt;script&gt;" in text


def test_the_cohort_is_counted(text):
    section = text[text.index('id="cohort"') : text.index('id="figures"')]
    assert re.search(r"<th>fast</th><th>slow</th>", section)
    assert "<td>Participants</td><td>38</td><td>16</td><td>22</td>" in section
    assert "(n = 36)" in section


def test_missing_sex_is_no_sex():
    people = made_up.participants().copy()
    people["sex"] = people["sex"].astype(object)
    known = people["sex"].copy()
    known[:10] = None
    men, n = int((known == "M").sum()), int(known.notna().sum())
    header, patients, sex, *_ = cohort_table(people.assign(sex=known), {})
    assert (header[1], patients[1]) == ("All", "38")
    assert sex[:2] == ["Male", f"{men} ({100 * men / n:.0f} %) (n = {n})"]


def test_rates_are_of_the_level_asked_for(tmp_path):
    made_up.write_tables(tmp_path, ["group_tests"])
    rates = made_up.null_rates().assign(alpha=0.01)
    rates.loc[0, ["rate", "rate_low"]] = 0.0
    write_table(rates, tmp_path / "group/null_rates.tsv", "null_rates")
    write_report.main(["--results", str(tmp_path), "--config", CONFIG,
                       "--output", str(tmp_path / "report.html")])  # fmt: skip
    text = (tmp_path / "report.html").read_text()
    section = text[text.index('id="null-rates"') : text.index('id="methods"')]
    assert "p below .01 " in section
    assert "nominal is .01." in section
    assert "<td>0 [0, " in section


def test_table_one_counts_only_who_was_studied(tmp_path):
    made_up.write_tables(tmp_path, ["group_tests", "quality"])
    quality = tmp_path / "group/quality.tsv"
    quality.write_text("".join(quality.read_text().splitlines(keepends=True)[:7]))
    write_report.main(["--results", str(tmp_path), "--config", CONFIG,
                       "--output", str(tmp_path / "report.html")])  # fmt: skip
    text = (tmp_path / "report.html").read_text()
    assert "<td>Participants</td><td>6</td>" in text
    assert "<td>Participants</td><td>38</td>" not in text


def test_methods_follow_the_configuration(results):
    text = (results / "methods.md").read_text()
    assert "| 1 | Siemens | 3 | 5:5:15 | 3 | 40 |" in text
    assert "38 participants were reconstructed, of whom 37" in text
    for name in ("10.1002/mrm.30006", "numpy 2", "95th percentile", "10,000 Freedman-Lane",
                 "fast against slow", "0.89 · iron"):  # fmt: skip
        assert name in text
    assert "None" not in text
    other = json.loads(CONFIG) | {
        "reconstruction": {"inversion": {"method": "tkd", "parameters": {}}},
        "iron": {"deposit_threshold": 0.1},
        "statistics": {"permutations": 0},
        "contrasts": {"speed": {"derive": "delta_fs_cut", "cut": 0.5}},
    }
    write_methods.main(["--config", json.dumps(other), "--output", str(results / "other.md")])
    changed = (results / "other.md").read_text()
    assert "10.1002/mrm.22135" in changed
    assert "rapid two-step" not in changed
    assert "above 100 ppb" in changed
    assert "Freedman" not in changed
    assert "ΔFS above or at most 0.5 points per month" in changed


def test_an_unknown_key_is_named(results, capsys):
    with pytest.raises(SystemExit):
        write_methods.main(["--config", '{"scors": []}', "--output", str(results / "bad.md")])
    assert "scors" in capsys.readouterr().err
    assert not (results / "bad.md").exists()


def test_a_results_folder_without_images_has_a_report(tmp_path):
    made_up.write_tables(tmp_path, ["correlations"])
    write_report.main(["--results", str(tmp_path), "--config", CONFIG,
                       "--output", str(tmp_path / "report.html")])  # fmt: skip
    page = Page((tmp_path / "report.html").read_text())
    assert not page.wrong
    assert "quality" not in page.ids


def given(**values):
    """A configuration of a run that starts from a table of region values."""
    return read_config(json.dumps({**json.loads(CONFIG), "analysis_only": True, **values}))


@pytest.mark.parametrize(
    "claim",
    ["Acquisition", "Reconstruction", "Iron.", "registered", "reconstructed with", "Wasserstein",
     "reliable mask", "relative to its mean"],
)  # fmt: skip
def test_the_methods_of_given_values_claim_no_image(claim, tmp_path):
    sidecar = tmp_path / "echo.json"
    sidecar.write_text(json.dumps({"EchoTime": 0.004, "MagneticFieldStrength": 3}))
    regions = made_up.regions().assign(session=None)
    assert claim in methods_text(read_config(CONFIG), None, [sidecar], regions)
    said = methods_text(given(), None, [], regions)
    assert claim not in said
    n = regions["participant_id"].nunique()
    assert f"region values of {n} participants were given" in said
    assert "**Statistics.**" in said and "**Software.**" in said


def test_the_methods_say_which_covariates_are_categories():
    said = methods_text(given(covariates=["age", "site"], categorical=["site"]), None, [], None)
    assert "adjusts for age, site (as categories) by rank ANCOVA" in said


@pytest.mark.parametrize("claim", ["Global iron line", "Reference of χ", "reliable mask", "atlas,"])
def test_no_assumption_of_given_values_is_of_the_images(claim):
    assert claim in " ".join(assumptions(read_config(CONFIG)))
    said = " ".join(assumptions(given()))
    assert claim not in said
    assert "Replication arm" in said


def test_a_large_cohort_keeps_the_flagged_pages(results, monkeypatch):
    monkeypatch.setattr("qsmiron.report.pictures.QUALITY_BUDGET_BYTES", 60_000)
    everyone = made_up.quality()["participant_id"].tolist()
    pages, left_out = quality_pictures(results / "figures", everyone, ["sub-37"])
    assert "sub-37" in [page.title for page in pages]
    assert len(pages) + len(left_out) == 38
    assert 0 < len(pages) < 38


def test_the_little_markdown():
    html = to_html(
        "# A & B\n\ntext **bold** `x_y` doi 10.1002/mrm.1.\n\n| a | b |\n|--|--|\n| 1 | <2 |"
    )
    assert "<h3>A &amp; B</h3>" in html
    assert "<strong>bold</strong>" in html
    assert '<a href="https://doi.org/10.1002/mrm.1">' in html
    assert "<td>&lt;2</td>" in html
    assert to_html("- one\n  more\n- two") == "<ul><li>one more</li><li>two</li></ul>"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_a_real_browser_runs_it_without_a_complaint(results):
    run = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={results / 'profile'}", "--dump-dom", f"file://{results}/report.html"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in run.stderr
    # the script has taken the tables over: filters, and a full first page
    assert "Rows 1–50 of" in run.stdout
    assert len(re.findall(r'<th [^>]*aria-sort="ascending"', run.stdout)) == 2


def test_the_methods_count_who_had_no_phase():
    config, quality = read_config(CONFIG), made_up.quality()
    rows = pd.DataFrame([row_without_phase(f"sub-9{n}", "main") for n in range(3)])
    said = methods_text(config, pd.concat([quality, rows]))
    assert f"{len(quality)} participants were reconstructed" in said
    assert "; 3 more had no phase images." in said


def test_the_methods_count_the_scans_that_failed():
    config = read_config(CONFIG)
    quality = made_up.quality()
    n = len(quality)
    assert "failed" not in methods_text(config, quality)
    failed = pd.DataFrame({"participant_id": ["sub-98", "sub-99"], "desc": "main", "used": "no"})
    said = methods_text(config, pd.concat([quality, failed]))
    assert f"{n} participants were reconstructed" in said
    assert "processing failed in 2 more" in said
    # another session of a participant who is measured
    again = pd.concat([quality.iloc[:1].assign(n_echoes=np.nan, used="no"), quality])
    assert "failed" not in methods_text(config, again)
    assert f"{n} participants were reconstructed" in methods_text(config, again)
