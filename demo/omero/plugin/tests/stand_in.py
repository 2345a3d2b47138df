"""Django with OMERO.web and the app; only the gateway to the OMERO server is a stand-in."""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
omerodir = Path(tempfile.mkdtemp(prefix="omerodir-"))
(omerodir / "etc" / "grid").mkdir(parents=True)
(omerodir / "var" / "log").mkdir(parents=True)
os.environ["OMERODIR"] = str(omerodir)
# Files of sessions.
tempfile.tempdir = str(omerodir)

from omero.config import ConfigXml  # noqa: E402

config = ConfigXml(str(omerodir / "etc" / "grid" / "config.xml"))
config["omero.web.apps"] = '["omero_cytopane"]'
config["omero.web.prefix"] = "/omero"
config["omero.web.session_engine"] = "django.contrib.sessions.backends.file"
config.close()
os.environ["DJANGO_SETTINGS_MODULE"] = "omeroweb.settings"

import django  # noqa: E402

django.setup()

import omero  # noqa: E402
from omero.gateway import ServiceOptsDict  # noqa: E402
from omero.rtypes import rlong  # noqa: E402

GROUP = 3


class Picture:
    """An image of one or more levels, each half as wide and high."""

    def __init__(self, number, sizes, levels, sample):
        self.number = number
        self.z, self.c, self.t, self.height, self.width = sizes
        self.levels = levels
        self.sample = sample

    def size(self, level):
        return self.width >> level, self.height >> level

    def wrapped(self, may_annotate):
        """What BlitzGateway gives for it."""
        return SimpleNamespace(
            getId=lambda: self.number,
            getPixelsId=lambda: self.number + 1000,
            getSizeX=lambda: self.width,
            getSizeY=lambda: self.height,
            getSizeZ=lambda: self.z,
            getSizeC=lambda: self.c,
            getSizeT=lambda: self.t,
            canAnnotate=lambda: may_annotate,
            getDetails=lambda: SimpleNamespace(
                group=SimpleNamespace(id=SimpleNamespace(val=GROUP))
            ),
        )


class Store:
    """A store of raw pixels, which counts levels from the smallest."""

    def __init__(self, pictures):
        self.pictures = pictures
        self.closed = False

    def setPixelsId(self, pixels_id, bypass, context):
        assert bypass
        self.picture = self.pictures[pixels_id - 1000]
        self.level = self.picture.levels - 1

    def getResolutionLevels(self):
        return self.picture.levels

    def getResolutionDescriptions(self):
        sizes = [self.picture.size(level) for level in range(self.picture.levels)]
        return [SimpleNamespace(sizeX=x, sizeY=y) for x, y in sizes]

    def setResolutionLevel(self, level):
        self.level = level

    def getTile(self, z, c, t, x, y, w, h):
        level = self.picture.levels - 1 - self.level
        values = [
            self.picture.sample(level, z, c, t, j, i)
            for j in range(y, y + h)
            for i in range(x, x + w)
        ]
        return b"".join(value.to_bytes(2, "big") for value in values)

    def close(self):
        self.closed = True


class Gateway:
    """What BlitzGateway is asked for."""

    def __init__(self, pictures, may_annotate=True, refuse=False, first_id=501):
        self.pictures = {picture.number: picture for picture in pictures}
        self.SERVICE_OPTS = ServiceOptsDict({"omero.group": "-1"})
        self.stores = []
        self.saved = []
        self.may_annotate = may_annotate
        self.refuse = refuse
        self.next_id = first_id
        self.c = SimpleNamespace(sf=SimpleNamespace(createRawPixelsStore=self.new_store))

    def new_store(self, context):
        self.stores.append(Store(self.pictures))
        return self.stores[-1]

    def getObject(self, kind, number):
        assert kind == "Image"
        picture = self.pictures.get(number)
        return picture and picture.wrapped(self.may_annotate)

    def getUpdateService(self):
        return SimpleNamespace(saveAndReturnArray=self.save)

    def save(self, rois, context):
        if self.refuse:
            raise omero.SecurityViolation(message="no rights")
        self.saved.append((rois, context.getOmeroGroup()))
        for roi in rois:
            roi.setId(rlong(self.next_id))
            self.next_id += 1
        return rois

    # Asked for by login_required.

    def canCreate(self):
        return True

    def getClientSettings(self):
        return {}

    def getEmailSettings(self):
        return False

    def close(self, hard=False):
        pass
