"""The what-if page: compare designs in a browser. It stands at the end of the line, as ``run.py`` does, so it may import every package."""
