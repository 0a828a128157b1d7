"""The report in a window as narrow as a phone's: nothing is wider than the window."""

import json

import made_up_results as made_up
import pytest
from report.chromium import Chromium, find_chromium

import write_report

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="needs Chromium or Chrome: apt-get install chromium"
)
LONG = "a_very_long_contrast_name_that_goes_on_and_on_and_on_1234567890"
WIDTH = 400


@pytest.fixture
def browser(tmp_path):
    browser = Chromium(tmp_path / "profile")
    yield browser
    browser.close()


def test_a_long_name_in_a_select_does_not_widen_the_page(browser, tmp_path):
    folder = made_up.write_tables(tmp_path / "results")
    tests = folder / "group/group_tests.tsv"
    tests.write_text(tests.read_text().replace("\tprogression\t", f"\t{LONG}\t"))
    contrasts = {LONG: made_up.CONTRASTS["progression"]}
    write_report.main(
        ["--results", str(folder), "--config", json.dumps({"contrasts": contrasts}),
         "--output", str(folder / "report.html")]
    )  # fmt: skip
    browser.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=800,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
    browser.open(folder / "report.html")
    browser.settle()
    options = browser.run("[...document.querySelectorAll('.controls option')].map((o) => o.text)")
    assert LONG in options
    rights = browser.run(
        "[...document.querySelectorAll('.controls, .controls label, .controls select, "
        ".controls input')].map((e) => e.getBoundingClientRect().right)"
    )
    assert len(rights) > 3
    assert max(rights) <= WIDTH
    assert browser.run("document.documentElement.scrollWidth") <= WIDTH
