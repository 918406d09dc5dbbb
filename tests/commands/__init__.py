"""The commands as their users meet them: `python run.py ...` in a process of its own."""
