"""The nine patterns that the model must reproduce to be trusted, each at the base parameters and with the contrast under which it vanishes.

A tolerance is a number of standard errors over worlds: each replicate lives in a world (population and network) of its own, and designs
are compared in the same world under the same random numbers, so a difference is paired. Seeds are fixed: a verdict never changes by
chance. A pattern, or a reading of it, that the model does not reproduce stands here as a strict expected failure with the reason: it
fails the suite on the day the model does reproduce it.
"""
