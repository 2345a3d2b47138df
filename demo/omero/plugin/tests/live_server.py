"""Serves the app for the tests of the page. Prints its port, and each ROI that is stored as a line of JSON."""

import base64
import json
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from unittest import mock
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from stand_in import Gateway, Picture

from django.core.wsgi import get_wsgi_application
from omero_cytopane import views
from omeroweb.decorators import login_required


def sample(level, z, c, t, y, x):
    """Those of the image of the same id of the other test server: [c, z, y, x] counted on."""
    return ((((c * 3 + z) * 48 + y) * 64 + x) * 7) % 60_000


class LiveGateway(Gateway):
    def save(self, rois, context):
        stored = super().save(rois, context)
        for roi in stored:
            shapes = [
                {
                    "TheZ": mask.theZ.val,
                    "TheT": mask.theT.val,
                    "X": mask.x.val,
                    "Y": mask.y.val,
                    "Width": mask.width.val,
                    "Height": mask.height.val,
                    "FillColor": mask.fillColor.val,
                    "Text": mask.textValue.val,
                    "bytes": base64.b64encode(mask.bytes).decode(),
                }
                for mask in roi.copyShapes()
            ]
            line = {
                "id": roi.id.val,
                "imageId": roi.image.id.val,
                "name": roi.name.val,
                "group": int(context.getOmeroGroup()),
                "shapes": shapes,
            }
            print(json.dumps(line), flush=True)
        return stored


def below_prefix(application):
    """As web servers hand requests on: the prefix apart."""

    def called(environ, start_response):
        environ["SCRIPT_NAME"] = "/omero"
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/omero")
        return application(environ, start_response)

    return called


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def connection(self, server_id, request):
    """Whoever has a session of the other test server is logged in."""
    return gateway if request.COOKIES.get("sessionid") else None


gateway = LiveGateway([Picture(102, (3, 2, 1, 48, 64), 1, sample)], first_id=100_001)
with (
    mock.patch.object(login_required, "get_connection", connection),
    mock.patch.object(views, "ASSETS", Path(sys.argv[1])),
    make_server(
        "127.0.0.1",
        0,
        below_prefix(get_wsgi_application()),
        server_class=Server,
        handler_class=Quiet,
    ) as server,
):
    print(server.server_port, flush=True)
    server.serve_forever()
