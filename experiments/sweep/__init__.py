"""Many runs in chunks that survive a kill: what they are (``plan``), what a chunk holds (``chunks``), who computes it (``execution``)."""
