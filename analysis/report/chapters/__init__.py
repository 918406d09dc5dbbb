"""The chapters of a recommendation, a file each. Each returns a section, and puts the tables that it rests on among ``tables``."""
