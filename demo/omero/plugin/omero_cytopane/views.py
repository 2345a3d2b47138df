"""What the page asks for. Addresses and answers: README.md of this package."""

import json
from pathlib import Path
from urllib.parse import urlencode

import omero
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.static import serve
from omeroweb.decorators import login_required

from . import __version__
from .pixels import read_tile
from .rois import rois_of, save_rois

ASSETS = Path(__file__).parent / "static" / "cytopane"

# Workers of an isolated page need the headers as well as the page.
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


def refusal(status, message):
    return JsonResponse({"message": str(message)}, status=status)


@require_GET
def capabilities(request):
    """How the page finds the plug-in; no login needed."""
    features = ["tiles", "rois"]
    return JsonResponse(
        {"provider": "omero-cytopane", "version": __version__, "features": features}
    )


@require_GET
@login_required()
def index(request, conn=None, **kwargs):
    """Leads to the page with the objects that were chosen."""
    query = [
        (key, value)
        for key, values in request.GET.lists()
        for value in values
        if key != "server"
    ]
    query.append(("server", reverse("index")))
    page = reverse("cytopane_asset", args=["omero/index.html"])
    return HttpResponseRedirect("%s?%s" % (page, urlencode(query)))


@require_GET
def asset(request, path):
    """A file of the page, with the headers of cross-origin isolation."""
    response = serve(request, path, document_root=ASSETS)
    for name, value in ISOLATION.items():
        response[name] = value
    kind = TYPES.get(Path(path).suffix)
    if kind:
        response["Content-Type"] = kind
    return response


@require_GET
@login_required()
def tile(request, image_id, z, c, t, conn=None, **kwargs):
    """Raw samples of a rectangle."""
    image = conn.getObject("Image", image_id)
    if image is None:
        return refusal(404, "Image %d not found" % image_id)
    try:
        box = tuple(int(request.GET[key]) for key in ("x", "y", "w", "h"))
        level = int(request.GET.get("level", 0))
    except (KeyError, ValueError) as error:
        return refusal(400, "x, y, w and h must be whole numbers: %s" % error)
    try:
        samples = read_tile(conn, image, (z, c, t), box, level)
    except ValueError as error:
        return refusal(404, error)
    response = HttpResponse(samples, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@login_required(allowPublic=False)
def rois(request, image_id, conn=None, **kwargs):
    """Stores ROIs with masks."""
    image = conn.getObject("Image", image_id)
    if image is None:
        return refusal(404, "Image %d not found" % image_id)
    if not image.canAnnotate():
        return refusal(403, "You may not annotate this image")
    try:
        made = rois_of(image, json.loads(request.body)["rois"])
    except RequestDataTooBig as error:
        return refusal(413, error)
    except (ValueError, KeyError, TypeError) as error:
        return refusal(400, 'The body must be {"rois": […]}: %s' % error)
    try:
        return JsonResponse({"ids": save_rois(conn, image, made)})
    except omero.SecurityViolation as error:
        return refusal(403, error.message)
