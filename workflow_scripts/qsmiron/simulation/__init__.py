"""The demo cohort: patients with known anatomy, susceptibility and planted effects.

``plan`` makes the committed tables, ``subject`` turns one row of the plan into a head, its
susceptibility and its signal, ``raw_data`` writes them as a scanner's export would be, and
``recovery`` compares what the workflow measured with what was planted. No other stage reads the
plan.
"""
