"""Figures of a validation: panels of lines and points, and how designs stand under each structural choice."""

from .choices import choices
from .panels import panels

__all__ = ["choices", "panels"]
