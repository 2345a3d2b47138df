"""ROIs of masks."""

import base64
import binascii

import omero
from omero.rtypes import rdouble, rint, rstring

# Of one request; the page sends at most 500.
MOST_ROIS = 5000
LONGEST_NAME = 255


def mask_of(image, shape, name, fill_color):
    """A mask from what the page sends.

    :raises ValueError: if it is incomplete, leaves the image, or its bits do not fill its box
    """
    try:
        z, t, x, y, width, height = (
            int(shape[key]) for key in ("z", "t", "x", "y", "width", "height")
        )
        bits = base64.b64decode(shape["bits"], validate=True)
    except (KeyError, TypeError, OverflowError, binascii.Error) as error:
        raise ValueError("A shape is incomplete: %s" % error) from error
    if not (0 <= z < image.getSizeZ() and 0 <= t < image.getSizeT()):
        raise ValueError("There is no plane z=%d, t=%d" % (z, t))
    if (
        min(x, y) < 0
        or min(width, height) < 1
        or x + width > image.getSizeX()
        or y + height > image.getSizeY()
    ):
        raise ValueError("A shape leaves the image")
    if len(bits) != (width * height + 7) // 8:
        raise ValueError(
            "%d bytes are no mask of %d x %d pixels" % (len(bits), width, height)
        )
    mask = omero.model.MaskI()
    mask.setTheZ(rint(z))
    mask.setTheT(rint(t))
    mask.setX(rdouble(x))
    mask.setY(rdouble(y))
    mask.setWidth(rdouble(width))
    mask.setHeight(rdouble(height))
    mask.setBytes(bits)
    mask.setTextValue(rstring(name))
    mask.setFillColor(rint(fill_color))
    return mask


def roi_of(image, sent):
    """One ROI: an object with a mask in each of its planes.

    :raises ValueError: if it cannot be read
    """
    if not isinstance(sent, dict) or not isinstance(sent.get("shapes"), list):
        raise ValueError("A ROI needs shapes")
    name = str(sent.get("name", ""))[:LONGEST_NAME]
    color = sent.get("fillColor", -1)
    if not isinstance(color, int) or not -(2**31) <= color < 2**31:
        raise ValueError("The colour %s is no signed 32-bit number" % color)
    if not sent["shapes"]:
        raise ValueError("A ROI needs a shape")
    roi = omero.model.RoiI()
    roi.setName(rstring(name))
    roi.setImage(omero.model.ImageI(image.getId(), False))
    for shape in sent["shapes"]:
        roi.addShape(mask_of(image, shape, name, color))
    return roi


def rois_of(image, sent):
    """ROIs from what the page sends. :raises ValueError: if one cannot be read"""
    if not isinstance(sent, list) or not 0 < len(sent) <= MOST_ROIS:
        raise ValueError("1 to %d ROIs are needed" % MOST_ROIS)
    return [roi_of(image, roi) for roi in sent]


def save_rois(conn, image, rois):
    """Stores ROIs in one transaction, in the group of the image.

    :returns: their ids in the order of the ROIs
    """
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(image.getDetails().group.id.val)
    stored = conn.getUpdateService().saveAndReturnArray(rois, context)
    return [roi.id.val for roi in stored]
