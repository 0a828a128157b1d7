"""Change over time: what the visits of a participant say beyond the first.

Mixed models of every scan, each participant's rate, repeatability, and who drops out. A scan is a
row here, as a participant is elsewhere; its time is in months since baseline.
"""
