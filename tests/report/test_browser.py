"""The report in a real browser: nothing fails, nothing is loaded, and what one touches answers."""

import json
import re

import made_up_results as made_up
import numpy as np
import pytest
from matplotlib import pyplot as plt
from report.chromium import Chromium, find_chromium

import write_report
from qsmiron.figures.style import save_figure
from qsmiron.registration.template_average import picture_grid
from qsmiron.spaces import apply_affine, grid_points
from qsmiron.tables import write_table
from qsmiron.template import desikan_killiany, template_t1w
from qsmiron.volumes import read_volume, write_volume

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="needs Chromium or Chrome: apt-get install chromium"
)
SLOPES = np.array([0.5, 0.25, -0.75])  # ppb per mm
SHARES = {"paramagnetic": 1.5, "diamagnetic": -0.5}  # of |χ|
PALLIDUM, AMYGDALA = (20, -4, 0), (-24, -4, -18)
TABLE = 'document.querySelector(".datatable")'
HEADS = f"{TABLE}.querySelectorAll('thead th')"
CELLS = (
    f"[...{TABLE}.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.innerText))"
)
CONFIG = json.dumps({"contrasts": made_up.CONTRASTS, "scores": made_up.SCORES})


def field(name):
    return f"""document.querySelector('.viewer [name="{name}"]')"""


def view(plane):
    return f"""document.querySelector('[data-plane="{plane}"] canvas')"""


def chi_ppb(point):
    return float(SLOPES @ point)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of made-up tables, a figure, and a mean χ that is linear in the template's mm."""
    folder = made_up.write_tables(tmp_path_factory.mktemp("results"))
    tests = made_up.group_tests().copy()
    nuclei = tests["region"].isin(["caudate", "putamen", "pallidum"])
    tests.loc[nuclei & (tests["metric"] == "iron_line"), "effect"] = np.nan
    write_table(tests, folder / "group/group_tests.tsv", "group_tests")
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1])
    save_figure(figure, folder / "figures/effects_progression.png", "A title", "c", dpi=80)
    shape, affine = picture_grid(read_volume(template_t1w()))
    chi = (grid_points(shape, affine) @ SLOPES / 1000).astype(np.float32)
    chi[:, :, -3:] = np.nan
    write_volume(folder / "mean.nii.gz", chi, affine, {"NumberOfParticipants": 38})
    for name, share in SHARES.items():
        write_volume(folder / f"{name}.nii.gz", np.float32(share) * np.abs(chi), affine)
    sources = [
        text for name in SHARES for text in (f"--mean-{name}", str(folder / f"{name}.nii.gz"))
    ]
    write_report.main(
        ["--results", str(folder), "--config", CONFIG, "--mean-chi", str(folder / "mean.nii.gz"),
         *sources,
         "--atlas", "DK", "--atlas-labels", str(desikan_killiany()),
         "--output", str(folder / "report.html")]
    )  # fmt: skip
    return folder / "report.html"


@pytest.fixture(scope="module")
def grid():
    """Template mm of the first voxel, and the numbers of 1 mm voxels."""
    shape, affine = picture_grid(read_volume(template_t1w()))
    return affine[:3, 3], 2 * np.array(shape) - 1


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, report):
    browser.open(report)
    browser.wait("document.querySelector('.viewer:not([aria-busy])') !== null")
    browser.settle()
    return browser


@pytest.fixture
def at(grid):
    """The part of a view, across and down, where a point (template mm) lies."""

    def at(plane, point):
        across, up = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}[plane]
        part = (np.asarray(point) - grid[0] + 0.5) / grid[1]
        return float(part[across]), float(1 - part[up])

    return at


def readout(page):
    return {
        key: page.run(f"document.querySelector('.readout .{key}').textContent")
        for key in ("position", "name", "chi", "measured", "question", "effect")
    }


def result(table, region, hemisphere, metric, effect):
    rows = table[
        (table["arm"] == "rigorous") & (table["region"] == region)
        & (table["hemisphere"] == hemisphere) & (table["metric"] == metric)
    ]  # fmt: skip
    return rows.iloc[0][effect]


def number(text):
    return float(text.replace("−", "-"))


def test_nothing_fails_and_nothing_is_loaded(page, report):
    page.run("window.scrollTo(0, document.body.scrollHeight)")
    page.settle()
    told = [
        event
        for event in page.events
        if event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled",
                               "Log.entryAdded")
    ]  # fmt: skip
    assert told == []
    urls = [
        event["params"]["request"]["url"]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert report.as_uri() in urls
    assert [url for url in urls if url != report.as_uri() and not url.startswith("data:")] == []


def test_an_error_of_the_page_would_be_seen(browser, report, tmp_path):
    broken = tmp_path / "broken.html"
    text = report.read_text().replace("</body>", "<script>console.error('no');nowhere()</script>")
    broken.write_text(text)
    browser.open(broken)
    methods = {event["method"] for event in browser.events}
    assert {"Runtime.exceptionThrown", "Runtime.consoleAPICalled"} <= methods


def test_a_table_sorts_and_filters(page):
    labels = page.run(f"[...{HEADS}].map((head) => head.innerText)")
    effect, region = labels.index("Effect"), labels.index("Region")
    page.choose(f"{TABLE}.querySelectorAll('select')[0]", "phenotype")
    page.choose(f"{TABLE}.querySelectorAll('select')[2]", "Mean χ (ppb)")
    tests = made_up.group_tests()
    wanted = tests[
        (tests["contrast"] == "phenotype") & (tests["arm"] == "replication")
        & (tests["metric"] == "chi_mean")
    ]["effect"].round(2).sort_values()  # fmt: skip
    for head, ascending in ((effect, True), (effect, False)):
        page.click(f"{HEADS}[{head}]")
        shown = [number(row[effect]) for row in page.run(CELLS)]
        expected = wanted.sort_values(ascending=ascending).head(len(shown))
        assert shown == pytest.approx(expected.tolist(), abs=0.0051)
    page.run(f"""(() => {{const box = {TABLE}.querySelector('[type="search"]');
        box.value = 'amyg'; box.dispatchEvent(new Event('input'));}})()""")
    rows = page.run(CELLS)
    assert [row[region] for row in rows] == ["amygdala", "amygdala"]


def test_a_column_that_a_filter_fixes_is_hidden(page):
    shown = f"[...{HEADS}].filter((head) => head.offsetParent).map((head) => head.innerText)"
    widths = f"(() => {{const box = {TABLE}.querySelector('.scroll'); "
    widths += "return [box.scrollWidth, box.clientWidth];})()"

    def choose(number, value):
        page.choose(f"{TABLE}.querySelectorAll('select')[{number}]", value)
        return set(page.run(shown))

    everything = {"Contrast", "Region", "Side", "Metric", "n", "Effect", "p", "CI low"}
    assert choose(1, "all") >= everything | {"Arm"}
    assert "Role" not in choose(2, "primary metrics")
    assert choose(2, "Median χ (ppb)") >= everything - {"Metric"} | {"Arm", "Role"}
    assert "Metric" not in choose(1, "replication")
    assert choose(2, "primary metrics") >= everything
    assert not {"Arm", "Role"} & set(page.run(shown))
    # all that a row has is seen without scrolling
    wide, room = page.run(widths)
    assert wide <= room
    assert "Contrast" not in choose(0, "phenotype")
    # a row's cells stand under their headings
    heads = page.run(f"[...{HEADS}].map((head) => head.hidden)")
    cells = page.run(f"[...{TABLE}.querySelector('tbody tr').cells].map((cell) => cell.hidden)")
    assert heads == cells


def test_a_figure_of_one_column_is_not_blown_up(page):
    width = page.run("document.querySelector('figure .enlarge img').getBoundingClientRect().width")
    # 4 of 7.09 inches, at 80 of 250 dots per inch
    assert width == pytest.approx(60 * 16 * 320 / (7.09 * 250), abs=2)


def test_a_figure_enlarges_and_closes(page):
    page.click("document.querySelector('.enlarge')")
    assert page.run("document.querySelector('dialog').open")
    same = "document.querySelector('dialog img').src === document.querySelector('.enlarge img').src"
    assert page.run(same)
    assert page.run("document.querySelector('dialog img').naturalWidth") == 320
    page.press("Escape")
    assert not page.run("document.querySelector('dialog').open")


def test_the_crosshair_begins_in_the_right_pallidum(page):
    values = made_up.regions()
    own = values[
        (values["region"] == "pallidum") & (values["hemisphere"] == "R")
        & (values["metric"] == "chi_mean")
    ]["value"]  # fmt: skip
    found = readout(page)
    assert found["position"] == "x 20, y −4, z 0 mm"
    assert found["name"] == "R pallidum"
    assert found["chi"] == f"χ here {chi_ppb(PALLIDUM):.1f} ppb"
    assert f"{1000 * own.mean():.1f} ± {1000 * own.std():.1f} ppb (n = 38)" in found["measured"]
    assert found["effect"] == ""


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_click_goes_to_the_region_under_it_and_pointing_tells_its_values(page, at, plane):
    page.choose(field("overlay"), "phenotype: UMN+ vs other, Mean χ")
    page.choose(field("region"), "L amygdala")
    page.press("Tab")
    through = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    words = readout(page)["position"].replace("−", "-")
    centre = [int(value) for value in re.findall(r"-?\d+", words)]
    point = list(AMYGDALA)
    point[through] = centre[through]
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    index = apply_affine(np.linalg.inv(atlas.affine), np.array(point, float)).round().astype(int)
    label = made_up.label_table().set_index("index").loc[int(atlas.data[tuple(index)])]
    assert (label["name"], label["hemisphere"]) == ("amygdala", "L")

    x, y = page.place(view(plane), *at(plane, point))
    page.mouse("mouseMoved", x, y)
    page.settle()
    tip = page.run("document.querySelector('.tip').innerText").split("\n")
    tests = made_up.group_tests()
    tests = tests[tests["contrast"] == "phenotype"]
    delta = result(tests, "amygdala", "L", "chi_mean", "effect")
    assert tip[0] == "L amygdala"
    assert number(re.search(r"χ here (\S+) ppb", tip[1])[1]) == pytest.approx(
        chi_ppb(point), abs=0.051
    )
    assert tip[3] == "phenotype: UMN+ vs other, Mean χ:"
    shown = re.fullmatch(
        r"Cliff's δ = (\S+), adj\. p [=<] (\S+), q [=<] (\S+) \((.*) higher\)", tip[4]
    )
    assert number(shown[1]) == pytest.approx(delta, abs=0.0051)
    for place, key in ((2, "p"), (3, "q")):
        expected = result(tests, "amygdala", "L", "chi_mean", key)
        assert float(shown[place]) == pytest.approx(expected, rel=0.06, abs=1e-4)
    assert shown[4] == ("UMN+" if delta > 0 else "other")

    page.click(view(plane), *at(plane, point))
    found = readout(page)
    assert [number(value) for value in re.findall(r"[−\d]+", found["position"])] == point
    assert found["name"] == "L amygdala"
    page.mouse("mouseMoved", 5, 5)
    page.settle()
    assert page.run("document.querySelector('.tip').hidden")


def test_keys_and_wheel_step_through_the_slices_of_a_chosen_view(page, at):
    x, y = page.place(view("axial"), *at("axial", PALLIDUM))
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100)
    page.settle()
    assert readout(page)["position"] == "x 20, y −4, z 0 mm"  # the page scrolls instead
    page.click(view("axial"), *at("axial", PALLIDUM))
    page.press("ArrowUp")
    assert readout(page)["position"] == "x 20, y −4, z 1 mm"
    page.press("PageUp")
    page.press("ArrowDown")
    assert readout(page)["position"] == "x 20, y −4, z 10 mm"
    assert page.run(f"{view('axial')}.getAttribute('aria-valuenow')") == "10"
    x, y = page.place(view("axial"), *at("axial", PALLIDUM))
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=100)
    page.wait("document.querySelector('.readout .position').textContent.endsWith(' 9 mm')")
    caption = "document.querySelector('[data-plane=\"sagittal\"] .where').textContent"
    assert page.run(caption) == "x = 20 mm (R)"


def pixel(page, plane, part):
    """Red, green, blue of a view's canvas at a part of it, across and down."""
    return page.run(
        f"(() => {{const c = {view(plane)}; return [...c.getContext('2d').getImageData("
        f"Math.floor({part[0]} * c.width), Math.floor({part[1]} * c.height), 1, 1)"
        ".data].slice(0, 3);})()"
    )


def test_left_is_left_and_grey_is_chi(page, at):
    # χ rises to the right, to the front and downwards
    for plane, low, high in (
        ("axial", (-40, 10, 0), (40, 10, 0)),
        ("axial", (10, -60, 0), (10, 40, 0)),
        ("coronal", (10, -4, 50), (10, -4, -30)),
        ("sagittal", (20, -60, 10), (20, 40, 10)),
    ):
        shades = [pixel(page, plane, at(plane, point))[0] for point in (low, high)]
        expected = [255 * (chi_ppb(point) + 100) / 250 for point in (low, high)]
        assert shades == pytest.approx(expected, abs=4)
    page.choose(field("window"), "−25 to 50 ppb")
    point = (40, 10, 0)
    shade = pixel(page, "axial", at("axial", point))
    assert shade == pytest.approx([255 * (chi_ppb(point) + 25) / 75] * 3, abs=9)


def test_the_sources_are_maps_of_their_own(page, at):
    point = (40, 10, 0)
    for name, symbol, limit in (("paramagnetic", "χ⁺", "50"), ("diamagnetic", "χ⁻", "−50")):
        page.choose(field("map"), f"{symbol} ({name})")
        page.choose(field("window"), f"0 to {limit} ppb")
        expected = 255 * SHARES[name] * chi_ppb(point) / number(limit)
        assert pixel(page, "axial", at("axial", point)) == pytest.approx([expected] * 3, abs=9)
        assert readout(page)["chi"].startswith(f"{symbol} here ")
    page.choose(field("region"), "R putamen")
    rows = made_up.regions().query("region == 'putamen' and hemisphere == 'R'")
    mean = 1000 * rows.loc[rows["metric"] == "chi_dia_mean", "value"].mean()
    words = readout(page)["measured"].removeprefix("measured in the region: ")
    assert number(words.split(" ±")[0]) == pytest.approx(mean, abs=0.051)


def test_the_overlay_paints_the_effect_and_can_be_faded_and_restricted(page, at):
    scores = made_up.correlations()
    scores = scores[scores["score"] == "umn_score"]
    rho = result(scores, "putamen", "R", "chi_sd", "rho")
    assert abs(rho) > 0.1
    point = (27, 2, 0)
    spot = at("axial", point)
    grey = pixel(page, "axial", spot)
    assert max(grey) - min(grey) <= 1
    page.choose(field("overlay"), "UMN score, SD of χ")
    bar = "document.querySelector('.bar-effect')"
    assert page.run(f"{bar}.innerText").split("\n")[1] == "SD of χ: ρ"
    red, _, blue = pixel(page, "axial", spot)
    assert (red - blue) * rho > 0  # vermilion above, blue below
    page.run(f"{field('opacity')}.value = 0; {field('opacity')}.dispatchEvent(new Event('input'))")
    page.settle()
    assert pixel(page, "axial", spot) == grey
    page.run(f"{field('opacity')}.value = 99; {field('opacity')}.dispatchEvent(new Event('input'))")
    page.settle()
    assert pixel(page, "axial", spot) != grey
    page.choose(field("significance"), "q < .05")
    q = result(scores, "putamen", "R", "chi_sd", "q")
    assert q > 0.05
    assert pixel(page, "axial", spot) == grey


def test_a_region_without_a_test_says_so(page):
    page.choose(field("overlay"), "progression: fast vs slow, Iron, global line")
    assert readout(page)["effect"] == "not tested"


def test_print_has_the_slices_and_no_controls(page):
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "getComputedStyle(document.querySelector('{}')).display"
        assert page.run(shown.format(".viewer .controls")) == "none"
        assert page.run(shown.format(".viewer canvas")) == "block"
    finally:
        page.call("Emulation.setEmulatedMedia", media="")


def test_a_narrow_window_shows_the_whole_viewer(page):
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1,
              mobile=False)  # fmt: skip
    try:
        page.settle()
        for part in (".viewer", ".views", ".bars"):
            found = f"document.querySelector('{part}')"
            assert page.run(f"{found}.scrollWidth <= {found}.clientWidth"), part
            assert page.run(f"{found}.getBoundingClientRect().right <= 360"), part
    finally:
        page.call("Emulation.clearDeviceMetricsOverride")


def test_without_javascript_a_sentence_stands_for_the_viewer(browser, report):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(report)
        assert browser.run("document.querySelector('.viewer').hidden")
        height = "document.querySelector('#slices noscript').getBoundingClientRect().height"
        assert browser.run(height) > 10
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
