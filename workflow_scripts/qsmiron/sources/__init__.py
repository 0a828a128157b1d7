"""Source separation: χ and R2* → paramagnetic and diamagnetic susceptibility (ppm).

Every method has the signature ``(maps, parameters) -> paramagnetic`` with :class:`.maps.Maps`; the
paramagnetic map is at least 0 and at least χ, so that χ⁻ = χ − χ⁺ ≤ 0 (:func:`.maps.admissible`).
"""

from ..methods import Method

DEFAULT = "source_tv"

LEAST_ECHOES = 3
"""Of a scan that is separated: with two, R2* has no residual, and nothing says how noisy it is, or
whether the decay is one."""

METHODS: dict[str, Method] = {
    "source_tv": Method(
        "sources.source_tv",
        "least_variation",
        "SourceTvParameters",
        "susceptibility sources of least total variation that explain χ and R2* by a linear model "
        "of relaxation in iron and myelin (after Stüber et al., NeuroImage 2014, "
        "doi 10.1016/j.neuroimage.2014.02.026, and Shin et al., NeuroImage 2021, "
        "doi 10.1016/j.neuroimage.2021.118371)",
    ),
    "r2prime": Method(
        "sources.r2prime",
        "from_r2prime",
        "R2primeParameters",
        "voxelwise χ-separation from R2' in closed form (Shin et al., NeuroImage 2021, "
        "doi 10.1016/j.neuroimage.2021.118371)",
    ),
    "r2star": Method(
        "sources.r2star",
        "from_r2star",
        "R2starParameters",
        "voxelwise source separation from R2* in closed form (R2*QSM; Dimov et al., Tomography "
        "2022, doi 10.3390/tomography8030127)",
    ),
}
