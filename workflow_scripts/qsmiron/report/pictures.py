"""Pictures inside the page: read, shrunk to a budget and embedded as base64."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import NamedTuple

from ..config import Config
from ..figures.style import DPI, PAGE_WIDTH

FIGURE_ORDER = (
    "chi_maps", "distributions", "effects", "forest", "quantiles", "correlations", "trajectories",
    "rates", "ratemaps", "harmonisation", "multiverse",
    "full_multiverse", "recovery",
)  # fmt: skip

QUALITY_BUDGET_BYTES = 10_000_000
"""All quality pages together, before base64 (which adds a third)."""

WIDEST, NARROWEST = 1250, 700
"""Width of an embedded quality page in pixels."""


class Picture(NamedTuple):
    """An embedded picture: its stem, title and caption from the file, and the data URI.

    ``share`` of a page's width is what it takes: a figure of one column is not blown up.
    """

    name: str
    title: str
    caption: str
    uri: str
    share: float = 1


def figures_of(config: Config) -> set[str]:
    """Stems of the figures that a run with this configuration draws."""
    stems = {"chi_maps"} | ({"recovery"} if config.bids_dir is None else set())
    stems |= {"harmonisation"} if config.statistics.harmonisation != "none" else set()
    for kind in ("distributions", "effects", "quantiles"):
        stems |= {f"{kind}_{contrast}" for contrast in config.contrasts}
    stems |= {f"correlations_{score}" for score in config.scores}
    outcomes = [f"contrast-{name}" for name in config.contrasts]
    outcomes += [f"score-{name}" for name in config.scores]
    parts = ["time", *(f"contrast-{name}" for name in config.contrasts)]
    stems |= {f"{kind}_{part}" for kind in ("trajectories", "rates", "ratemaps") for part in parts}
    # the full multiverse is drawn only where it was asked for
    kinds = ("forest", "multiverse", "full_multiverse")
    return stems | {f"{kind}_{name}" for name in outcomes for kind in kinds}


def figures_in(folder: Path, drawn: set[str]) -> list[Picture]:
    """The PNGs of the figures folder, in the report's order.

    Those of a kind that the workflow draws must be in ``drawn``: a contrast that the config has
    no longer leaves its figure behind. Others come last.
    """

    def place(path: Path) -> tuple[int, str]:
        known = [number for number, stem in enumerate(FIGURE_ORDER) if path.stem.startswith(stem)]
        return (known[0] if known else len(FIGURE_ORDER), path.stem)

    paths = sorted(folder.glob("*.png"), key=place)
    return [
        _figure(path) for path in paths if path.stem in drawn or place(path)[0] == len(FIGURE_ORDER)
    ]


def _figure(path: Path) -> Picture:
    from PIL import Image

    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        title = str(image.info.get("Title", path.stem.replace("_", " ")))
        caption = str(image.info.get("Description", ""))
        share = min(1, round(image.width / (PAGE_WIDTH * DPI), 3))
    return Picture(path.stem, title, caption, _uri(content, "png"), share)


def quality_pictures(
    folder: Path, participants: list[str], first: list[str]
) -> tuple[list[Picture], list[str]]:
    """The quality pages as JPEG within the budget, and the names of those left out.

    Pages are the files ``*_quality.png`` in the subfolders of ``folder`` that belong to one of
    ``participants``. ``first`` names those whose pages go in first (those with flags) when there
    are too many for the budget; pages are in the order of their names otherwise.
    """
    paths = sorted(
        (path for path in folder.glob("sub-*/**/*_quality.png")
         if path.stem.split("_")[0] in participants),
        key=lambda path: path.name,
    )  # fmt: skip
    share = QUALITY_BUDGET_BYTES / max(len(paths), 1)
    # a page of WIDEST pixels takes about 200 kB
    width = max(NARROWEST, min(WIDEST, round(WIDEST * (share / 200_000) ** 0.5)))
    wanted = [path for path in paths if path.stem.split("_")[0] in first]
    kept: dict[str, Picture] = {}
    spent = 0
    for path in wanted + [path for path in paths if path not in wanted]:
        content = _jpeg(path, width) if spent < QUALITY_BUDGET_BYTES else b""
        spent += len(content)
        if content and spent <= QUALITY_BUDGET_BYTES:
            title = path.stem.removesuffix("_quality").removesuffix("_desc-main").replace("_", " ")
            kept[path.name] = Picture(path.stem, title, "", _uri(content, "jpeg"))
    left_out = [path.stem for path in paths if path.name not in kept]
    return [kept[name] for name in sorted(kept)], left_out


def _jpeg(path: Path, width: int) -> bytes:
    from PIL import Image

    with Image.open(path) as image:
        shrunk = image.convert("RGB")
        if shrunk.width > width:
            height = round(shrunk.height * width / shrunk.width)
            shrunk = shrunk.resize((width, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        shrunk.save(buffer, "JPEG", quality=78, optimize=True)
    return buffer.getvalue()


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
