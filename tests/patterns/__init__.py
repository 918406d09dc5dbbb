"""The nine patterns that the model must reproduce to be trusted, each at the base parameters and with the contrast under which it vanishes.

A tolerance is a number of standard errors over worlds: each replicate lives in a world (population and network) of its own, and designs
are compared in the same world under the same random numbers, so a difference is paired. Seeds are fixed: a verdict never changes by
chance. A pattern is read as its sentence states it; what other readings give stands in ``docs/odd.md``, under the limits of use.
"""
