"""The app under real Django with OMERO.web; only the gateway to the OMERO server is a stand-in."""

import base64
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from stand_in import GROUP, Gateway, Picture

from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import reverse
from omero_cytopane import views
from omeroweb.decorators import login_required

setup_test_environment()

WIDTH, HEIGHT = 12, 8


def sample(level, z, c, t, y, x):
    return 1000 * level + 100 * z + 12 * y + x


PICTURE = Picture(101, (3, 1, 1, HEIGHT, WIDTH), 2, sample)


def address(name, *args):
    """As the web server hands it on, which takes the prefix off."""
    return reverse(name, args=args).removeprefix("/omero")


def gateway(**options):
    return Gateway([PICTURE], **options)


def with_gateway(conn):
    return mock.patch.object(
        login_required, "get_connection", lambda self, server_id, request: conn
    )


class PluginTest(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def rois(self, conn, body):
        with with_gateway(conn):
            return self.client.post(
                address("cytopane_rois", 101),
                body if isinstance(body, str) else json.dumps(body),
                content_type="application/json",
            )

    def tile(self, query, plane=(1, 0, 0), image=101):
        conn = gateway()
        with with_gateway(conn):
            url = address("cytopane_tile", image, *plane)
            response = self.client.get(url, query)
        self.assertTrue(all(store.closed for store in conn.stores))
        return response

    def test_addresses_lie_below_the_label(self):
        self.assertEqual(reverse("cytopane_index"), "/omero/cytopane/")

    def test_capabilities_need_no_login(self):
        told = self.client.get(address("cytopane_capabilities")).json()
        self.assertEqual(told["provider"], "omero-cytopane")
        self.assertEqual(told["features"], ["tiles", "rois"])

    def test_others_need_a_login(self):
        headers = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
        with with_gateway(None):
            for url in (
                address("cytopane_tile", 101, 0, 0, 0),
                address("cytopane_index"),
            ):
                self.assertEqual(self.client.get(url, **headers).status_code, 403)

    def test_tile_has_the_highest_byte_first(self):
        response = self.tile({"x": 3, "y": 2, "w": 2, "h": 2})
        values = [100 + 24 + 3, 100 + 24 + 4, 100 + 36 + 3, 100 + 36 + 4]
        self.assertEqual(response.content, b"".join(v.to_bytes(2, "big") for v in values))

    def test_levels_count_from_the_full_one(self):
        response = self.tile({"x": 0, "y": 0, "w": 1, "h": 1, "level": 1})
        self.assertEqual(int.from_bytes(response.content, "big"), 1100)

    def test_tiles_outside_are_refused(self):
        inside = {"x": 0, "y": 0, "w": 1, "h": 1}
        self.assertEqual(self.tile({**inside, "x": WIDTH}).status_code, 404)
        self.assertEqual(self.tile({**inside, "w": 7, "level": 1}).status_code, 404)
        self.assertEqual(self.tile({**inside, "level": 2}).status_code, 404)
        self.assertEqual(self.tile(inside, plane=(3, 0, 0)).status_code, 404)
        self.assertEqual(self.tile(inside, image=999).status_code, 404)
        self.assertEqual(self.tile({**inside, "w": "x"}).status_code, 400)
        self.assertEqual(self.tile({**inside, "w": 0}).status_code, 404)

    def mask(self, **changes):
        shape = {"z": 0, "t": 0, "x": 4, "y": 5, "width": 5, "height": 3, "bits": "q74="}
        return {**shape, **changes}

    def test_one_roi_has_a_mask_per_plane(self):
        conn = gateway()
        shapes = [self.mask(), self.mask(z=1)]
        other = {"name": "8", "fillColor": -65436, "shapes": [self.mask()]}
        sent = {"rois": [{"name": "7", "fillColor": 65535, "shapes": shapes}, other]}
        response = self.rois(conn, sent)
        self.assertEqual(response.json(), {"ids": [501, 502]})
        [(rois, group)] = conn.saved
        self.assertEqual(group, str(GROUP))
        self.assertEqual(rois[0].name.val, "7")
        self.assertEqual(rois[0].image.id.val, 101)
        masks = rois[0].copyShapes()
        self.assertEqual([mask.theZ.val for mask in masks], [0, 1])
        self.assertEqual(bytes(masks[0].bytes), base64.b64decode("q74="))
        self.assertEqual((masks[0].x.val, masks[0].width.val), (4.0, 5.0))
        self.assertEqual(masks[0].textValue.val, "7")

    def test_what_cannot_be_read_is_refused_and_nothing_is_stored(self):
        conn = gateway()
        outside = (self.mask(x=-1), self.mask(x=8), self.mask(y=6), self.mask(z=3), self.mask(t=1))
        unreadable = (self.mask(width=50), self.mask(bits="?"), self.mask(x=float("inf")), {}, 7)
        for shape in outside + unreadable:
            response = self.rois(conn, {"rois": [{"name": "1", "shapes": [shape]}]})
            self.assertEqual(response.status_code, 400, shape)
        for body in ("no json", {}, {"rois": []}, {"rois": [{"shapes": []}]}, {"rois": [1]}):
            self.assertEqual(self.rois(conn, body).status_code, 400, body)
        for color in (2**31, "red", None):
            sent = {"name": "1", "fillColor": color, "shapes": [self.mask()]}
            self.assertEqual(self.rois(conn, {"rois": [sent]}).status_code, 400)
        self.assertEqual(conn.saved, [])

    def test_rights_are_respected(self):
        sent = {"rois": [{"name": "1", "shapes": [self.mask()]}]}
        self.assertEqual(self.rois(gateway(may_annotate=False), sent).status_code, 403)
        self.assertEqual(self.rois(gateway(refuse=True), sent).status_code, 403)

    def test_large_bodies_and_missing_tokens_are_refused(self):
        self.assertEqual(self.rois(gateway(), " " * 2_700_000).status_code, 413)
        strict = Client(enforce_csrf_checks=True)
        with with_gateway(gateway()):
            response = strict.post(address("cytopane_rois", 101), "{}", content_type="application/json")
        self.assertEqual(response.status_code, 403)

    def test_page_and_its_files_are_isolated(self):
        with with_gateway(gateway()):
            query = {"image": [1, 2], "server": "https://elsewhere.example/"}
            response = self.client.get(address("cytopane_index"), query)
        self.assertTrue(
            response["Location"].endswith("omero/index.html?image=1&image=2&server=%2Fomero%2F")
        )
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "io.worker.js").write_text("1")
            with mock.patch.object(views, "ASSETS", Path(folder)):
                url = address("cytopane_asset", "io.worker.js")
                response = self.client.get(url)
                outside = self.client.get(url.replace("io.worker", "../views"))
        self.assertEqual(response["Cross-Origin-Embedder-Policy"], "require-corp")
        self.assertEqual(response["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertEqual(response["Content-Type"], "text/javascript")
        self.assertEqual(outside.status_code, 400)

    def test_panel_is_rendered(self):
        text = render_to_string("omero_cytopane/right_panel.js.html")
        self.assertIn("omeroweb_right_plugin", text)
        self.assertIn("/cytopane/assets/cytopane.js", text)


if __name__ == "__main__":
    unittest.main()
