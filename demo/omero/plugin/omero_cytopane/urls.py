from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="cytopane_index"),
    path("capabilities/", views.capabilities, name="cytopane_capabilities"),
    path(
        "tile/<int:image_id>/<int:z>/<int:c>/<int:t>/", views.tile, name="cytopane_tile"
    ),
    path("rois/<int:image_id>/", views.rois, name="cytopane_rois"),
    path("assets/<path:path>", views.asset, name="cytopane_asset"),
]
