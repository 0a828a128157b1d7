"""Phase of all echoes → total field (ppm).

Every method has the signature
``(phase, magnitude, mask, echo_times, field_strength, voxel_size, parameters, threads)``
``-> FieldMap`` (see :mod:`.field_map`).

Sign: phase = +2π γ̄ B0 · field · TE, so that a positive field is what paramagnetic tissue makes
on the axis through it along B0. Scanners with the opposite convention are set right with the
parameter ``phase_sign``.
"""

from ..methods import Method

METHODS: dict[str, Method] = {
    "romeo": Method(
        "phase.field_map",
        "map_field",
        "FieldMapParameters",
        "phase offset removal by MCPC-3D-S (Eckstein et al., Magn Reson Med 2018, "
        "doi 10.1002/mrm.26963), unwrapping by ROMEO (Dymerska et al., Magn Reson Med 2021, "
        "doi 10.1002/mrm.28563) and a magnitude-weighted fit over echoes",
    ),
}
