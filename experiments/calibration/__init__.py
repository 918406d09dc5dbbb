"""Parameters fitted to a pilot's observations, with what the data can and cannot tell: begin at ``calibrate``."""
