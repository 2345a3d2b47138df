"""Cytopane in OMERO.web."""

__version__ = "0.1.0"
