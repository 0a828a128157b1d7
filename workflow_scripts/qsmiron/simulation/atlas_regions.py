"""What the simulation knows of the Desikan-Killiany regions: their labels and usual values.

Labels follow the volume atlas of ``template.desikan_killiany`` (left 1–41, right 42–82,
brainstem 83). χ in ppb relative to tissue water. Iron of the basal ganglia with age: Hallgren &
Sourander 1958, doi 10.1111/j.1471-4159.1958.tb12607.x; χ per iron: Langkammer 2012,
doi 10.1016/j.neuroimage.2012.05.049.
"""

from __future__ import annotations

import numpy as np

BRAINSTEM = 83
N_LABELS = 83
_RIGHT = 41
_LEFT = {
    "paracentral": 16,
    "precentral": 23,
    "postcentral": 21,
    "pericalcarine": 20,
    "thalamus": 35,
    "caudate": 36,
    "putamen": 37,
    "pallidum": 38,
    "accumbens": 39,
    "hippocampus": 40,
    "amygdala": 41,
}
FIRST_SUBCORTICAL = 35

CHI_PER_IRON = 0.89
"""ppb per mg/kg wet tissue."""
CHI_OF_IRON_FREE_NUCLEUS = -45.0
"""ppb; puts the nuclei at 60 years where in-vivo studies find them."""
IRON_WITH_AGE = {  # mg/kg wet: plateau, rate (1/year), value at birth
    "pallidum": (214.1, 0.09, 3.7),
    "putamen": (146.2, 0.04, 4.6),
    "caudate": (96.6, 0.05, 3.3),
}
STRUCTURES = {"thalamus": 8.0, "accumbens": 28.0, "hippocampus": 2.0, "amygdala": -3.0}
CORTICAL_OFFSETS = {"precentral": 6.0, "paracentral": 4.0, "postcentral": 4.0, "pericalcarine": 5.0}
BRAINSTEM_CHI = -12.0

# Iron-rich nuclei without a label of their own: centre on the right (template mm), semi-axes, ppb.
UNLABELLED_NUCLEI = (
    ((15, -57, -35), (9, 5, 5), 120.0),  # dentate
    ((10, -17, -12), (4, 6, 4), 110.0),  # substantia nigra
    ((5, -20, -8), (3, 3, 3), 90.0),  # red nucleus
)


def label(region: str, hemisphere: str) -> int:
    """Atlas label of a region that the simulation names; ``hemisphere`` L, R or B."""
    if region == "brainstem":
        return BRAINSTEM
    return _LEFT[region] + (_RIGHT if hemisphere == "R" else 0)


def nucleus_chi(name: str, age: float) -> float:
    """χ (ppb) of caudate, putamen or pallidum at ``age`` (years)."""
    plateau, rate, at_birth = IRON_WITH_AGE[name]
    iron = plateau * (1 - np.exp(-rate * age)) + at_birth
    return CHI_OF_IRON_FREE_NUCLEUS + CHI_PER_IRON * float(iron)


def structure_values(age: float) -> np.ndarray:
    """χ (ppb) of each label (84,): whole value of deep structures, offset of cortical regions."""
    values = np.zeros(N_LABELS + 1)
    values[BRAINSTEM] = BRAINSTEM_CHI
    for hemisphere in "LR":
        for name, chi in {**STRUCTURES, **CORTICAL_OFFSETS}.items():
            values[label(name, hemisphere)] = chi
        for name in IRON_WITH_AGE:
            values[label(name, hemisphere)] = nucleus_chi(name, age)
    return values


def is_deep() -> np.ndarray:
    """Which labels (84,) are deep structures or the brainstem, not cortex."""
    index = np.arange(N_LABELS + 1)
    within = np.where(index == BRAINSTEM, BRAINSTEM, (index - 1) % _RIGHT + 1)
    return (within >= FIRST_SUBCORTICAL) & (index > 0)
