"""Relaxation: multi-echo magnitude → R2* (1/s).

Every method has the signature ``(magnitude, echo_times, mask, parameters) -> r2star``.
"""

from ..methods import Method

DEFAULT = "loglinear"

METHODS: dict[str, Method] = {
    "loglinear": Method(
        "relaxation.loglinear",
        "fit_loglinear",
        "LoglinearParameters",
        "weighted log-linear fit of the magnitude decay (Veraart et al., NeuroImage 2013, "
        "doi 10.1016/j.neuroimage.2013.05.028, for the weights)",
    ),
    "arlo": Method(
        "relaxation.arlo",
        "fit_arlo",
        "ArloParameters",
        "auto-regression on linear operations on the magnitude decay (Pei et al., Magn Reson Med "
        "2015, doi 10.1002/mrm.25137)",
    ),
}
