"""What a world of schools is and how one month changes it.

Imports nothing else of this project. Start reading at ``rules.py`` (the behaviour), then ``agents.py`` and ``mesa_model.py`` (the model as
a researcher steps it) or ``engine.py`` (the same model for many runs).
"""
