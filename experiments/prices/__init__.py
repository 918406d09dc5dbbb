"""What a figure of another year, currency or country is in EUR of 2023, and what documented programmes cost."""
