from django.apps import AppConfig


class CytopaneConfig(AppConfig):
    """OMERO.web serves the app below its label: ``/cytopane/``."""

    name = "omero_cytopane"
    label = "cytopane"
