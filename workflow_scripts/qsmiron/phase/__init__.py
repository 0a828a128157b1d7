"""Phase of all echoes → total field (ppm).

Every method has the signature
``(phase, magnitude, mask, echo_times, field_strength, voxel_size, parameters, threads)``
``-> FieldMap`` (see :mod:`.steps`).

Sign: phase = +2π γ̄ B0 · field · TE, so that a positive field is what paramagnetic tissue makes
on the axis through it along B0. Scanners with the opposite convention are set right with the
parameter ``phase_sign``.
"""

from ..methods import Method

DEFAULT = "romeo"

METHODS: dict[str, Method] = {
    "romeo": Method(
        "phase.field_map",
        "map_field",
        "FieldMapParameters",
        "phase offset removal by MCPC-3D-S (Eckstein et al., Magn Reson Med 2018, "
        "doi 10.1002/mrm.26963), unwrapping by ROMEO (Dymerska et al., Magn Reson Med 2021, "
        "doi 10.1002/mrm.28563) and a magnitude-weighted fit over echoes",
    ),
    "laplacian": Method(
        "phase.laplacian_field",
        "map_field",
        "LaplacianFieldParameters",
        "phase offset removal by MCPC-3D-S (Eckstein et al., Magn Reson Med 2018, "
        "doi 10.1002/mrm.26963), Laplacian unwrapping (Schofield & Zhu, Opt Lett 2003, "
        "doi 10.1364/OL.28.001194), exact only up to a harmonic field, and a magnitude-weighted "
        "fit over echoes",
    ),
}
