"""The anchors: what has been measured of programmes like these, and what the model gives where it is read as that was.

``anchors.csv`` holds each reading with its target; ``readings`` takes them, ``draws`` keeps the parameter sets that meet them.
"""
