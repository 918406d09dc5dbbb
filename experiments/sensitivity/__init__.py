"""Which costs, incentives and behaviours decide the outcome: begin at ``study``."""
