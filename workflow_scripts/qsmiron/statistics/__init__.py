"""Group statistics: contrasts and scores against every region and metric, in two arms.

The *replication* arm is the published style of analysis (Mann-Whitney, Spearman, raw p); the
*rigorous* arm stands beside it with covariates, permutation and correction. A *cell* is one metric
of one region; every routine here works on matrices of subjects × cells.
"""
