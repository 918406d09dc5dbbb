#!/usr/bin/env python3
"""The command line of a clone, as ``school-mentoring`` is of what is installed."""

from school_mentoring.analysis.commands import main

if __name__ == "__main__":
    main()
