"""Ready maps: susceptibility and R2* that a scanner or another program made, in place of ours.

Their unit is declared, by the config or their sidecar, and never guessed; their grid stays.
"""
