"""Ways in which spin echoes that R2 is to be fitted to are not fit for it; see `broken_images`."""

from __future__ import annotations

import json
from pathlib import Path

from bids_trees import AFFINE, image_bytes
from checks.broken_images import Case

MESE = {"reconstruction": {"sources": {"method": "source_tv", "r2": "MESE"}}}
ALL_ECHOES = {
    "reconstruction": {"sources": {**MESE["reconstruction"]["sources"],
                                   "spin_echo": {"skipped_echoes": 0}}}
}  # fmt: skip


def spin_echo(root: Path, subject: str, echo: int, ending: str = "nii.gz") -> Path:
    return root / f"sub-{subject}/anat/sub-{subject}_echo-{echo}_MESE.{ending}"


def measured(root: Path, echoes: int = 4, of_02: int | None = None) -> None:
    """Spin echoes of everybody, of another grid than the GRE."""
    for number in range(1, 7):
        subject = f"{number:02d}"
        for echo in range(1, (of_02 if of_02 and number == 2 else echoes) + 1):
            path = spin_echo(root, subject, echo)
            path.write_bytes(image_bytes((6, 6, 4), 2 * AFFINE, seed=1000 * number + echo))
            spin_echo(root, subject, echo, "json").write_text(
                json.dumps({"EchoTime": 0.012 * echo})
            )


def with_field(root: Path, echo: int, **fields: float) -> None:
    measured(root)
    spin_echo(root, "02", echo, "json").write_text(json.dumps(fields))


def of_two_grids(root: Path) -> None:
    measured(root)
    spin_echo(root, "02", 3).write_bytes(image_bytes((6, 6, 5), 2 * AFFINE, seed=77))


CASES = [
    Case("three spin echoes, of which the first is left out",
         lambda r: measured(r, of_02=3), "sub-02_echo-1_MESE.nii.gz",
         "3 spin echoes, of which the first 1 are left out", "at least 3 to fit R2 to",
         "set sources.spin_echo.skipped_echoes to fewer", settings=MESE),
    Case("two spin echoes, of which none is left out", lambda r: measured(r, of_02=2),
         "sub-02_echo-1_MESE.nii.gz", "2 spin echoes, of which the first 0 are left out",
         "at least 3 to fit R2 to", "Add the other echoes", settings=ALL_ECHOES),
    Case("a spin echo without its time", lambda r: with_field(r, 2),
         "sub-02_echo-2_MESE.json, EchoTime", "no such field", "a number",
         "Add it to the JSON sidecar",
         settings=MESE),
    Case("a spin echo's time in milliseconds", lambda r: with_field(r, 2, EchoTime=24),
         "sub-02_echo-2_MESE.json, EchoTime", "24", "seconds", "divide it by 1000", settings=MESE),
    Case("spin echoes in another order", lambda r: with_field(r, 2, EchoTime=0.06),
         "sub-02_echo-1_MESE.json, EchoTime", "0.012, 0.06, 0.036", "echo times that increase",
         "Check the order", settings=MESE),
    Case("a spin echo without a sidecar", lambda r: [
        measured(r), spin_echo(r, "02", 4, "json").unlink()], "sub-02_echo-4_MESE.json",
        "no such file", "", "", settings=MESE),
    Case("spin echoes of two grids", of_two_grids, "sub-02_echo-3_MESE.nii.gz",
         "another grid, (6, 6, 5)", "the grid of sub-02_echo-1_MESE.nii.gz, (6, 6, 4)",
         "the echoes of one acquisition", settings=MESE),
]  # fmt: skip
