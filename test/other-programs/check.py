"""Reads what Cytopane has written into a folder with other programs' packages, compares it with `labels.npy`, and has
the packages write the labels into `theirs/`. Packages that are not installed are named and left out."""

import importlib
import json
import sys
import traceback
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
theirs = folder / "theirs"
theirs.mkdir(exist_ok=True)
labels = np.load(folder / "labels.npy").astype(np.uint32)
nz, ny, nx = labels.shape
SPACING = (1.75, 0.8, 0.8)
failed = []


def check(name, *packages):
    """Runs a function now, unless a package is missing."""

    def run(function):
        for package in packages:
            try:
                importlib.import_module(package)
            except ImportError:
                print(f"left out: {name}, there is no {package}")
                return
        try:
            function()
            print(f"{name}: agrees")
        except Exception:
            failed.append(name)
            print(f"{name}: FAILED", file=sys.stderr)
            traceback.print_exc()

    return run


def same(found, wanted=labels):
    np.testing.assert_array_equal(np.squeeze(np.asarray(found)).astype(np.uint32), np.squeeze(wanted))


def inside(path):
    """Pixels whose middles lie inside a closed path of [x, y], by the even-odd rule."""
    ys, xs = np.mgrid[:ny, :nx] + 0.5
    mask = np.zeros((ny, nx), bool)
    points = np.asarray(path, float)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0)):
        if y0 == y1:
            continue
        crosses = (ys >= min(y0, y1)) & (ys < max(y0, y1)) & (xs < x0 + (ys - y0) * (x1 - x0) / (y1 - y0))
        mask ^= crosses
    return mask


def compare_planes(masks):
    seen = dict(masks)
    for z in range(nz):
        for label in np.unique(labels[z]):
            if label:
                np.testing.assert_array_equal(seen.pop((int(label), z)), labels[z] == label)
    assert not seen, list(seen)


def theirs_rings():
    """Outlines [x, y] of every label of every plane, along pixel edges."""
    import shapely

    for z in range(nz):
        for label in np.unique(labels[z]):
            if not label:
                continue
            squares = [shapely.box(x, y, x + 1, y + 1) for y, x in zip(*np.nonzero(labels[z] == label))]
            shape = shapely.unary_union(squares)
            parts = list(shape.geoms) if shape.geom_type == "MultiPolygon" else [shape]
            rings = []
            for part in parts:
                rings += [list(part.exterior.coords)[:-1], *[list(hole.coords)[:-1] for hole in part.interiors]]
            yield int(label), z, rings


@check("TIFF in tifffile", "tifffile")
def _():
    import tifffile

    with tifffile.TiffFile(folder / "ours_labels.tif") as file:
        same(file.asarray())
        # As ImageJ has it; 32-bit labels are no ImageJ type and stand in a plain TIFF.
        if file.is_imagej:
            assert file.imagej_metadata["unit"] in ("um", "µm", "micron", "\\u00B5m"), file.imagej_metadata
            if nz > 1:
                assert abs(file.imagej_metadata["spacing"] - SPACING[0]) < 1e-6
        x = file.pages[0].tags["XResolution"].value
        assert abs(x[1] / x[0] - SPACING[2]) < 1e-4, x


@check("OME-TIFF in tifffile", "tifffile")
def _():
    import tifffile

    with tifffile.TiffFile(folder / "ours_labels.ome.tif") as file:
        assert file.is_ome
        same(file.asarray())
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        assert abs(pixels["PhysicalSizeX"] - SPACING[2]) < 1e-9, pixels
        if nz > 1:
            assert abs(pixels["PhysicalSizeZ"] - SPACING[0]) < 1e-9, pixels
    sizes = {"PhysicalSizeX": SPACING[2], "PhysicalSizeY": SPACING[1], "PhysicalSizeZ": SPACING[0]}
    tifffile.imwrite(
        theirs / "tifffile.ome.tif", labels, metadata={"axes": "ZYX", **sizes}, tile=(64, 64), compression="zlib"
    )


@check("ROIs in roifile", "roifile", "shapely")
def _():
    import roifile

    seen = {}
    for roi in roifile.roiread(folder / "ours_rois.zip"):
        label = int(roi.name.split("-")[-1])
        z = max(roi.z_position, roi.position, 1) - 1 if nz > 1 else 0
        mask = np.zeros((ny, nx), bool)
        for path in roi.coordinates(multi=True):
            mask ^= inside(path)
        seen[label, z] = seen.get((label, z), np.zeros((ny, nx), bool)) | mask
    compare_planes(seen)
    rois = list(theirs_rings())
    # What roifile makes are single outlines; what has holes or several parts is left to the other formats.
    if all(len(rings) == 1 for _, _, rings in rois):
        made = []
        for k, (label, z, (ring,)) in enumerate(rois):
            roi = roifile.ImagejRoi.frompoints(np.array(ring), name=f"{label}", position=z + 1 if nz > 1 else 0)
            made.append(roi)
        file = theirs / "roifile_RoiSet.zip"
        file.unlink(missing_ok=True)
        roifile.roiwrite(file, made, name=[f"{k}.roi" for k in range(len(made))])


@check("GeoJSON in shapely", "shapely")
def _():
    import shapely
    import shapely.geometry

    ys, xs = np.mgrid[:ny, :nx] + 0.5
    seen = {}
    collection = json.loads((folder / "ours_labels.geojson").read_text())
    for feature in collection["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid, shapely.is_valid_reason(shape)
        properties = feature["properties"]
        assert properties["objectType"] == "detection" and len(properties["color"]) == 3
        z = feature["geometry"].get("plane", {}).get("z", 0)
        mask = shapely.contains_xy(shape, xs.ravel(), ys.ravel()).reshape(ny, nx)
        assert shape.area == mask.sum()
        seen[int(properties["name"]), z] = mask
    compare_planes(seen)
    features = []
    for (label, z), mask in seen.items():
        squares = [shapely.box(x, y, x + 1, y + 1) for y, x in zip(*np.nonzero(mask))]
        geometry = shapely.geometry.mapping(shapely.unary_union(squares))
        if nz > 1:
            geometry["plane"] = {"c": -1, "z": z, "t": 0}
        # As QuPath writes it: an annotation with a class.
        properties = {"objectType": "annotation", "name": str(label), "classification": {"name": "Cell"}}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    (theirs / "shapely.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


@check("OME-Zarr in ome-zarr-py", "ome_zarr")
def _():
    import zarr
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader
    from ome_zarr.writer import write_image, write_labels

    for version in ("0.4", "0.5"):
        root = folder / f"ome-zarr-{version}"
        location = parse_url(root)
        assert location is not None, f"{version} is no OME-Zarr to ome-zarr-py"
        nodes = list(Reader(location)())
        found = next((node for node in nodes if "/labels/" in str(node.zarr.path) + "/" and node.data), nodes[0])
        same(found.data[0].compute())
        scale = found.metadata["coordinateTransformations"][0][0]["scale"]
        assert np.allclose(scale[-3:], SPACING[-len(scale[-3:]) :]), scale
        if len(nodes) > 1:
            colors = found.metadata.get("color", {})
            assert set(map(int, np.unique(labels)[1:])) <= set(map(int, colors)), "colours of labels"
            properties = found.metadata.get("properties", {})
            assert set(map(int, np.unique(labels)[1:])) <= set(map(int, properties)), "properties of labels"
        print(f"ome-zarr-py finds {version}: {len(nodes)} nodes, {len(found.data)} levels")
    # Labels in an image of its own making, in the format that it writes by default.
    root = zarr.open_group(theirs / "ome-zarr-py.ome.zarr", mode="w")
    write_image(np.zeros(labels.shape, np.uint8), root, axes="zyx", scaler=None)
    write_labels(labels, root, name="cells", axes="zyx", scaler=None)


@check("_seg.npy in Cellpose", "cellpose", "shapely")
def _():
    from cellpose import io, utils

    dat = np.load(folder / "ours_seg.npy", allow_pickle=True).item()
    same(dat["masks"])
    assert len(dat["ismanual"]) == labels.max()
    if nz > 1:
        return
    # Cellpose outlines no holes, and fills those of its own labels.
    if all(len(rings) == 1 for _, _, rings in theirs_rings()):
        edges = utils.masks_to_outlines(np.squeeze(labels).astype(np.int32))
        np.testing.assert_array_equal(np.squeeze(dat["outlines"]) > 0, edges)
    image = np.zeros((ny, nx), np.float32)
    flows = [np.zeros((ny, nx, 3), np.uint8), np.zeros((2, ny, nx), np.float32), image]
    io.masks_flows_to_seg(image, labels[0], flows, str(theirs / "cellpose.tif"))
    own = np.load(theirs / "cellpose_seg.npy", allow_pickle=True).item()
    assert set(own) <= set(dat), f"{set(own) - set(dat)} missing"


sys.exit(1 if failed else 0)
