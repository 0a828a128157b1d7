"""A real head, where Debian's mricron-data is installed: Colin27 with its skull and the AAL labels.

AAL was drawn by hand on this brain, by another protocol than the Desikan-Killiany atlas' (its
thalamus and striatum are smaller, its caudate ends elsewhere), so that no registration reaches
Dice 1. Measured: see the floors.
"""

from pathlib import Path

import numpy as np
import pytest
from heads import dice

from qsmiron import template
from qsmiron.registration.between_templates import map_between_templates
from qsmiron.registration.itk_bridge import ants_session
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.routes import CoordinateRoute
from qsmiron.registration.template_to_t1w import TemplateParameters, register_template
from qsmiron.spaces import grid_points
from qsmiron.volumes import Volume, read_volume

FOLDER = Path("/usr/share/mricron/templates")
STRUCTURES = {
    "Thalamus": ((35, 76), 0.74),
    "Putamen": ((37, 78), 0.69),
    "Caudate": ((36, 77), 0.64),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (FOLDER / "ch2.nii.gz").exists(),
        reason="needs Debian's mricron-data (apt install mricron-data)",
    ),
]


@pytest.fixture(scope="module")
def colin():
    """T1w, AAL labels, and the AAL number of each name."""
    rows = [line.split() for line in (FOLDER / "aal.nii.txt").read_text().splitlines() if line]
    labels = read_volume(FOLDER / "aal.nii.gz", np.int32)
    return read_volume(FOLDER / "ch2.nii.gz"), labels, {row[1]: int(row[0]) for row in rows}


def check(one, two, numbers):
    """``one`` has Desikan-Killiany's labels and ``two`` AAL's, on one grid."""
    for name, (ours, least) in STRUCTURES.items():
        theirs = [numbers[f"{name}_{side}"] for side in "LR"]
        found = [[float(dice(one == a, two == b, [1])[0]) for b in theirs] for a in ours]
        print(f"{name}: left {found[0][0]:.3f}, right {found[1][1]:.3f}")
        assert (found[0][0] + found[1][1]) / 2 >= least, name
        assert max(found[0][1], found[1][0]) < 0.02, name


def test_atlas_labels_on_a_real_brain(colin):
    t1w, aal, numbers = colin
    with ants_session(2, 1) as session:
        registered = register_template(
            session, t1w, read_volume(template.template_t1w()), TemplateParameters()
        )
    here = grid_points(aal.data.shape, aal.affine)
    atlas = read_volume(template.desikan_killiany(), np.int32)
    check(carry_labels(registered.to_template(here), atlas), aal.data, numbers)


def test_an_atlas_of_a_real_brain_through_the_map_between_templates(colin):
    t1w, aal, numbers = colin
    default = read_volume(template.template_t1w())
    with ants_session(2, 1) as session:
        points, fit = map_between_templates(session, default, t1w, TemplateParameters())
    assert fit > 0.6
    atlas = read_volume(template.desikan_killiany(), np.int32)
    here = grid_points(atlas.data.shape, atlas.affine)
    route = CoordinateRoute(here, Volume(points, default.affine))
    check(atlas.data, carry_labels(route.centres(), aal), numbers)
