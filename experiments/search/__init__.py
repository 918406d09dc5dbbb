"""The search for better designs: begin at ``optimise``."""
