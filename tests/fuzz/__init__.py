"""Files that are damaged at random, given to every command that reads them: each is refused in one line, or is still sound.

``damage`` spoils a file, ``sound`` makes the files to spoil, ``cases`` says which command reads which, ``oracles`` reads a file a second
time by other means, ``trial`` runs a command in this process and judges what it did; ``surroundings`` are those of real processes.
``benchmarks/fuzz.py`` does the same many thousand times.
"""
