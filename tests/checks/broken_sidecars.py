"""Ways in which sidecars and file names are broken; see `broken_images`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bids_trees import add_subject, edit_sidecar, image_bytes, megre, new_images
from checks.broken_images import Case, renamed

from qsmiron.acquisition import LARGEST_SIDECAR_BYTES

JSON = "sub-02_echo-1_part-mag_MEGRE.json"
PHASE_JSON = "sub-02_echo-1_part-phase_MEGRE.json"
INCREASE = "echo times that increase from echo to echo"
ADD = "Add it to the JSON sidecar"


def sidecar(root: Path, part: str = "mag", echo: int = 1) -> Path:
    return megre(root, "02", echo, part, "json")


def edited(part: str = "mag", **changes: Any):
    return lambda root: edit_sidecar(sidecar(root, part), **changes)


def every(**changes: Any):
    """Change the sidecars of all echoes and parts of sub-02."""
    return lambda root: [
        edit_sidecar(sidecar(root, part, echo), **changes)
        for part in ("mag", "phase")
        for echo in (1, 2, 3)
    ]


def times(*seconds: float):
    return lambda root: [
        edit_sidecar(sidecar(root, part, echo), EchoTime=te)
        for part in ("mag", "phase")
        for echo, te in enumerate(seconds, start=1)
    ]


def text(content: str):
    return lambda root: sidecar(root).write_text(content)


def absurd(root: Path) -> None:
    with sidecar(root).open("r+b") as file:
        file.truncate(LARGEST_SIDECAR_BYTES + 1)


def without(*names: str):
    def breaks(root: Path) -> None:
        for pattern in names:
            paths = sorted((root / "sub-02/anat").glob(pattern))
            assert paths
            for path in paths:
                path.unlink()

    return breaks


def extra(name: str):
    return lambda root: (root / "sub-02/anat" / name).write_bytes(image_bytes(seed=77))


def second_run(root: Path) -> None:
    anat = root / "sub-02/anat"
    for path in sorted(anat.glob("*MEGRE*")):
        shutil.copy(path, anat / path.name.replace("sub-02_", "sub-02_run-2_"))
    new_images(anat)


def twin(root: Path) -> None:
    for label in ("a1", "A1"):
        add_subject(root, label)


def foreign(root: Path) -> None:
    path = megre(root, "02", 1, "mag")
    renamed(path, path.name.replace("sub-02", "sub-03"))


def folder(name: str):
    def breaks(root: Path) -> None:
        add_subject(root, "07")
        (root / "sub-07").rename(root / name)

    return breaks


def half_in_sessions(root: Path) -> None:
    (root / "sub-02/ses-1/anat").mkdir(parents=True)


def in_sessions(root: Path, *labels: str) -> None:
    """Put the images of sub-02 into session folders, those of each session other images."""
    subject = root / "sub-02"
    for number, label in enumerate(labels or ("1",)):
        anat = subject / f"ses-{label}" / "anat"
        shutil.copytree(subject / "anat", anat)
        for path in sorted(anat.iterdir()):
            path.rename(path.with_name(path.name.replace("_", f"_ses-{label}_", 1)))
        new_images(anat, seed=100 * number + 50)
    shutil.rmtree(subject / "anat")


def two_sessions(root: Path) -> None:
    in_sessions(root, "1", "2")


def raw_for_json(root: Path) -> None:
    sidecar(root).write_bytes(b"\xff\xfe\x00{")


CASES = [
    Case("no sidecar", without("*echo-1_part-mag*.json"), JSON, "no such file", "a JSON sidecar",
         "Put it beside its image"),
    Case("a sidecar that is no JSON", text("{"), JSON, "malformed JSON", "a JSON object", "Mend"),
    Case("a sidecar that is a list", text("[1]"), JSON, "no JSON object", "a JSON object", "Mend"),
    Case("a sidecar that is no text", raw_for_json, JSON, "malformed", "a JSON object", "Mend"),
    Case("a sidecar nested absurdly", text("[" * 100_000), JSON, "malformed", "a JSON object",
         "Mend"),
    Case("a sidecar of absurd length", absurd, JSON, "16 MiB", "a few kilobytes",
         "it was not read"),
    Case("no EchoTime", edited(EchoTime=None), f"{JSON}, EchoTime", "no such field",
         "a number above 0", "a map that the scanner computed"),
    Case("EchoTime in milliseconds", edited(EchoTime=5), f"{JSON}, EchoTime", "5",
         "seconds", "divide it by 1000"),
    Case("EchoTime as text", edited(EchoTime="0.005"), f"{JSON}, EchoTime", "'0.005'",
         "a number above 0", ADD),
    Case("EchoTime of 0", edited(EchoTime=0), f"{JSON}, EchoTime", "0", "above 0", ADD),
    Case("EchoTime as a list", edited(EchoTime=[0.005, 0.01]), f"{JSON}, EchoTime", "[0.005, 0.01]",
         "above 0", ADD),
    Case("equal echo times", times(0.005, 0.005, 0.015), "part-mag_MEGRE.json, EchoTime",
         "5, 5, 15 ms", INCREASE, "Check the order"),
    Case("decreasing echo times", times(0.015, 0.01, 0.005), "part-mag_MEGRE.json, EchoTime",
         "15, 10, 5 ms", INCREASE, "Check the order"),
    Case("an echo time that differs between parts", edited("phase", EchoTime=0.0052),
         f"{PHASE_JSON}, EchoTime", "0.0052 s where the magnitude has 0.005 s",
         "one echo time for both parts", "belong together"),
    Case("no field strength", edited(MagneticFieldStrength=None, ImagingFrequency=None),
         f"{JSON}, MagneticFieldStrength", "no such field", "above 0", ADD),
    Case("a field strength in gauss", every(MagneticFieldStrength=30000),
         f"{JSON}, MagneticFieldStrength", "30000", "tesla, such as 3", "Give it in tesla"),
    Case("a field strength against the frequency", every(MagneticFieldStrength=1.5),
         f"{JSON}, ImagingFrequency", "123.25 MHz with MagneticFieldStrength 1.5 T",
         "about 64 MHz", "Correct the one that is wrong"),
    Case("another field strength in one echo",
         edited(MagneticFieldStrength=1.5, ImagingFrequency=63.9), f"{JSON}, MagneticFieldStrength",
         "1.5", "3 T as in 5 of 6 files", "belong to the images"),
    Case("no unit of the phase", edited("phase", Units=None), f"{PHASE_JSON}, Units",
         "no such field from Siemens", "rad, or arbitrary", "acquisition.phase_units"),
    Case("what an undeclared unit looks like", edited("phase", Units=None),
         "sub-02_echo-1_part-phase_MEGRE.nii.gz", "-4096 to 4094 of an undeclared unit",
         "never guessed", "acquisition.phase_units: siemens", "warning"),
    Case("an arbitrary unit from another maker", edited("phase", Manufacturer="GE"),
         f"{PHASE_JSON}, Units", "'arbitrary' from GE", "rad, or arbitrary",
         "acquisition.phase_units"),
    Case("the config's scale against the maker", every(Manufacturer="Philips"),
         f"{PHASE_JSON}, Manufacturer", "'Philips' with acquisition.phase_units: siemens",
         "Siemens, whose scale", "milliradian", "warning",
         {"acquisition": {"phase_units": "siemens"}}),
    Case("a magnitude that the sidecar calls phase", edited(ImageType=["ORIGINAL", "P"]),
         f"{JSON}, ImageType", "P", "magnitude, as the file's name says", "swapped"),
    Case("a phase that the sidecar calls real", edited("phase", ImageType=["ORIGINAL", "REAL"]),
         f"{PHASE_JSON}, ImageType", "REAL", "phase", "rename the files"),
    Case("2D slices", every(MRAcquisitionType="2D"), f"{JSON}, MRAcquisitionType", "2D",
         "a 3D acquisition", "look at the maps", "warning"),
    Case("a bipolar readout", every(DiffusionScheme="Bipolar"), "sub-*, DiffusionScheme",
         "a bipolar readout in 1 of 6 scans (sub-02)", "monopolar, as the config takes it",
         "reconstruction.field_map.parameters.readout: bipolar", "warning"),
    Case("a readout that the config takes for bipolar", every(SequenceName="gre_MonoPolar_QZXJ"),
         "sub-*, SequenceName", "a monopolar readout in 1 of 6 scans", "bipolar, as the config",
         "readout: monopolar", "warning",
         {"reconstruction": {"field_map": {"parameters": {"readout": "bipolar"}}}}),
    Case("slices of another thickness", every(SliceThickness=2), f"{JSON}, SliceThickness",
         "2 mm, but", "an edge of the voxels", "interpolation damages phase", "warning"),
    Case("gaps between slices", every(SliceThickness=5, SpacingBetweenSlices=10),
         f"{JSON}, SpacingBetweenSlices", "10 mm between slices of 5 mm", "without gaps",
         "not known", "warning"),
    Case("a sidecar that names the patient", every(PatientName="Doe^Jane", PatientID="4711"),
         JSON, "the fields PatientName, PatientID", "names nobody", "before you share", "warning"),
    Case("another protocol in one scan", every(RepetitionTime=0.05),
         "sub-*, repetition time (s)", "0.05 in sub-02", "0.035, as in 5 of 6 scans",
         "groups do not differ", "warning"),
    Case("a magnitude echo is missing", without("*echo-2_part-mag*"), "echo-2_part-mag",
         "no such file (2 magnitude and 3 phase files)", "magnitude and phase of every echo",
         "Add the file"),
    Case("no phase at all", without("*part-phase*"), "sub-02_*_MEGRE", "no phase file",
         "magnitude and phase", "Export the phase images too; without them the scan is left out",
         "warning"),
    Case("no phase of anybody", lambda r: [p.unlink() for p in r.rglob("*part-phase*")], "bids",
         "no phase image", "of one scan at least", "Export them"),
    Case("no magnitude at all", without("*part-mag*"), "sub-02_*_MEGRE", "no magnitude file",
         "magnitude and phase", "Export the magnitude images"),
    Case("a gap in the echoes", without("*echo-2*"), "sub-02_*_MEGRE", "echoes 1, 3, but not 2",
         "without a gap", "renumber"),
    Case("an echo numbered in millions", lambda r: [
        renamed(megre(r, "02", 3, part, end), f"sub-02_echo-99999999_part-{part}_MEGRE.{end}")
        for part in ("mag", "phase") for end in ("nii.gz", "json")], "sub-02_*_MEGRE",
        "3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 …", "without a gap", "renumber"),
    Case("a single echo", without("*echo-2*", "*echo-3*"), "sub-02_*_MEGRE", "a single echo",
         "several echoes", "no R2*", "warning"),
    Case("both pairs of parts", extra("sub-02_echo-1_part-real_MEGRE.nii.gz"), "sub-02_*_MEGRE",
         "phase (sub-02_echo-1_part-mag_MEGRE.nii.gz and 5 more) and real or imaginary parts "
         "(sub-02_echo-1_part-real_MEGRE.nii.gz)", "one of these pairs", "sourcedata"),
    Case("single receive channels", extra("sub-02_coil-01_echo-1_MEGRE.nii.gz"), "coil-01",
         "not understood", "echo-1_part-mag", "Combine the receive channels"),
    Case("a file without an echo", extra("sub-02_part-mag_MEGRE.nii.gz"), "sub-02_part-mag",
         "beside sub-02_echo-1_part-mag_MEGRE.nii.gz", "or one for all echoes",
         "such as _echo-1_part-mag"),
    Case("a file without a part", extra("sub-02_echo-1_MEGRE.nii.gz"), "sub-02_echo-1_MEGRE",
         "not understood", "part-phase", "_part-mag or _part-phase"),
    Case("two files for one echo", extra("sub-02_echo-01_part-mag_MEGRE.nii.gz"), "echo-",
         "a second file for the echo", "one file per echo and part", "Delete the copy"),
    Case("an echo of another participant", foreign, "sub-03_echo-1_part-mag",
         "the name of sub-03", "starts with sub-02_", "move or rename"),
    Case("two runs", second_run, "sub-02/anat", "2 multi-echo acquisitions", "one run",
         "sourcedata"),
    Case("no T1w", without("*T1w*"), "sub-02/anat", "no T1w image", "one …_T1w.nii.gz",
         "from R2* and χ, which is less exact", "warning"),
    Case("no T1w and no labels without", without("*T1w*"), "sub-02/anat", "no T1w image",
         "one …_T1w.nii.gz", "no regions", "warning",
         settings={"registration": {"without_t1w": False}}),
    Case("two T1w", extra("sub-02_run-2_T1w.nii.gz"), "sub-02/anat", "2 T1w images",
         "one …_T1w.nii.gz", "move this one out", "warning"),
    Case("a command in a participant's name", folder("sub-01;touch x"), "sub-01;touch x",
         "the folder name 'sub-01;touch x'", "letters and digits only", "Rename the folder"),
    Case("a participant's name in capitals", folder("SUB-07"), "SUB-07", "'SUB-07'",
         "letters and digits only", "Rename the folder"),
    Case("participants that differ in case", twin, "sub-a1", "only in case",
         "any file system tells apart", "Rename the folder"),
    Case("images beside sessions", half_in_sessions, "sub-02/anat",
         "6 MEGRE files beside ses-1", "all images of a participant in session folders",
         "they would be passed over"),
    Case("two sessions to choose from", two_sessions, "bids",
         "1 participants with several sessions", "one session per participant",
         "They take the baseline: sub-02 (ses-1)", severity="warning"),
    Case("a session for the statistics that nobody has", in_sessions,
         "config, statistics.session", "'3', which 1 of 1 participants", "images of that session",
         "Correct it", settings={"statistics": {"session": "3"}}),
    Case("a session_label of nobody", lambda r: None, "config, session_label", "'later'",
         "a label that the data set", "Correct it", settings={"session_label": ["later"]}),
]  # fmt: skip
