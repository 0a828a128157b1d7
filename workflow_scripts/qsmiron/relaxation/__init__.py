"""Relaxation: multi-echo magnitude → R2* (1/s).

Every method has the signature ``(magnitude, echo_times, mask, parameters) -> r2star``.
"""

from ..methods import Method

METHODS: dict[str, Method] = {
    "loglinear": Method(
        "relaxation.loglinear",
        "fit_loglinear",
        "LoglinearParameters",
        "weighted log-linear fit of the magnitude decay (Veraart et al., NeuroImage 2013, "
        "doi 10.1016/j.neuroimage.2013.05.028, for the weights)",
    ),
}
