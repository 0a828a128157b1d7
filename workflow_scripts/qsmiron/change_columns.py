"""The columns of the tables of change over time."""

from __future__ import annotations

from .shared_columns import CELL, INFERENCE, VARIANT, WHO, Column

CHANGE_TABLES: dict[str, dict[str, Column]] = {
    "change": {
        "kind": Column(
            "time, contrast, score, predictor, dropout (who stayed and who did not) or repeats",
            text=True,
        ),
        "model": Column("The contrast, score or predictor; otherwise as kind", text=True),
        "test": Column(
            "mixed_model (all scans, random effects of participants), rank_t (midranks of each "
            "participant's rate or baseline), t (its values) or repeatability",
            text=True,
        ),
        "term": Column(
            "What is tested: time (the mean rate), time in one group, time × group or number (how "
            "rates differ), a difference at baseline; rate or baseline against something; or the "
            "measure of repeatability",
            text=True,
        ),
        **VARIANT,
        "region": CELL["region"],
        "hemisphere": CELL["hemisphere"],
        "index": CELL["index"],
        "metric": CELL["metric"],
        "family": CELL["family"],
        "fit": Column("reml or ml, of a mixed model", text=True),
        "random": Column("intercept, or intercept+slope, of each participant", text=True),
        "covariates": Column("Covariates (at baseline), comma-separated", text=True),
        "n": Column("Participants in the test"),
        "n_scans": Column("Their scans in the test"),
        "n_1": Column("Participants of the first group"),
        "n_2": Column("Participants of the second group"),
        "effect": Column(
            "Estimate, in the row's unit; positive: rising, or the first group higher, or rising "
            "with the number"
        ),
        "effect_name": Column(
            "rate, difference (at baseline), slope; cliffs_delta (of covariate residuals), "
            "partial_r; within_subject_sd, icc (ICC(1,1)), smallest_detectable_change",
            text=True,
        ),
        "unit": Column("Unit of the effect", text=True),
        "se": Column("Standard error of the effect"),
        "ci_low": Column("Lower end of its 95 % interval"),
        "ci_high": Column("Upper end of that interval"),
        "statistic": Column("t"),
        "df": Column(
            "Degrees of freedom: Satterthwaite's of a mixed model; of the error within "
            "participants (repeatability)"
        ),
        "p": Column("Two-sided parametric p value, uncorrected"),
        "p_perm": Column("p by permutation of whole participants, (b + 1)/(B + 1)"),
        "p_maxt": INFERENCE["p_maxt"],
        "q": INFERENCE["q"],
        "r2_marginal": Column("Share of the variance that the fixed effects explain", "1"),
        "r2_conditional": Column("Share that they and the participants explain", "1"),
        "reason": INFERENCE["reason"],
    },
    "rates": {
        "participant_id": WHO["participant_id"],
        **VARIANT,
        **CELL,
        "n_scans": Column("Scans that the rate is of"),
        "months": Column("Time between the first and the last of them", "months"),
        "rate": Column("Least-squares slope over time, in the row's unit"),
        "se": Column(
            "Its standard error, from the spread within all participants and the own times"
        ),
        "unit": Column("Unit of rate and se", text=True),
    },
}
