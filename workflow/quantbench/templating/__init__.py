"""Jinja2 templates that other people wrote: sandboxed, standing alone, with an end to their work, and errors in one line."""

from .bounded_environment import BoundedEnvironment, like
from .bounded_template import BoundedTemplate, TemplateFault

__all__ = ["BoundedEnvironment", "BoundedTemplate", "TemplateFault", "like"]
