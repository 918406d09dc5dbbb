"""Analysis: functions of result tables. Imports ``model`` for names and units only, nothing of ``experiments`` or ``scenarios``."""
