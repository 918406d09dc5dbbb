"""Tests of sensitivity studies: indices of known functions, SALib's, and studies that run."""
