"""Reads the image sets and caches them as normalised images, labels and flow targets.

An item is a dict: name, set, image float16 [C, H, W] (1-99 percentile normalised), labels int32 [H, W],
flows int8 [2, H, W] (unit flow x 127). `baby_yeast_brightfield` is never read: it is the unseen domain.
"""
import json
import pickle
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage

from flow_targets import flows_from_masks


def normalise(image):
    """float32 [C, H, W] -> 1-99 percentile normalised per channel; a flat channel becomes 0 (not clipped)."""
    out = np.zeros(image.shape, np.float32)
    for c, plane in enumerate(image):
        lo, hi = np.percentile(plane, (1, 99))
        if hi - lo > 1e-3:
            out[c] = (plane - lo) / (hi - lo)
    return out


def read_png(path):
    array = np.array(Image.open(path))
    return (array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)).astype(np.float32)


def compact(labels):
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32) + (0 if (labels == 0).any() else 1)


def item(name, group, image, labels, with_flows=True):
    labels = compact(labels)
    flows = np.round(flows_from_masks(labels) * 127).astype(np.int8) if with_flows else None
    return dict(name=name, set=group, image=np.clip(normalise(image), -20, 60).astype(np.float16), labels=labels, flows=flows)


def planes(name, group, volume, labels, step_z, step_y, step_x, with_flows):
    """2D planes of an isotropic volume in three orientations, for training also averaged with their neighbours (standard
    deviation 1.2 planes), as full 3D shows them to the network."""
    for axis, step in ((0, step_z), (1, step_y), (2, step_x)):
        smooth = ndimage.gaussian_filter1d(volume.astype(np.float32), 1.2, axis) if with_flows else None
        for i in range(step // 2, volume.shape[axis], step):
            lab = np.take(labels, i, axis)
            if lab.max() > 0 or i % (4 * step) == 0:
                plane = item(f"{name}/{'zyx'[axis]}{i}", f"{group}_{'zyx'[axis]}", np.take(volume, i, axis)[None], lab, with_flows)
                yield plane
                if with_flows:
                    yield {**plane, "name": plane["name"] + "/averaged", "image": item("", "", np.take(smooth, i, axis)[None], lab, False)["image"]}


def isotropic(volume, labels, factor):
    return ndimage.zoom(volume.astype(np.float32), (factor, 1, 1), order=1), ndimage.zoom(labels, (factor, 1, 1), order=0)


def dsb2018(root, split, flows):
    meta = json.loads((root / "dsb2018/splits.json").read_text())
    for e in meta["images"]:
        if e["split"] == split:
            yield item(e["id"], "dsb_" + e["cls"], read_png(root / f"dsb2018/images/{e['id']}.png"), read_png(root / f"dsb2018/masks/{e['id']}.png")[0], flows)


def simple(root, folder, split, flows):
    for name in json.loads((root / folder / "splits.json").read_text())[split]:
        image, mask = root / f"{folder}/images/{name}.png", root / f"{folder}/masks/{name}.png"
        if image.exists() and mask.exists():
            yield item(name, folder.split("_")[0], read_png(image), read_png(mask)[0], flows)


def codex(root, split, flows):
    base = root / "codex_tissue_wholecell"
    image = tifffile.imread(base / "R001_X003_Y004.tif").astype(np.float32)
    columns = slice(0, 1008) if split == "train" else slice(1008, 1344)
    for expert in (1, 2):
        labels = read_png(base / f"masks_expert{expert}/R001_X003_Y004.png")[0]
        yield item(f"codex{expert}", f"codex{expert}", image[:, :, columns], labels[:, columns], flows)


def ecoli(root, split, flows):
    base = root / "colicoords_ecoli"
    for e in json.loads((base / "splits.json").read_text())["entries"]:
        if e["split"] == split:
            labels = read_png(base / f"masks/{e['id']}.png")[0]
            for kind in ("brightfield", "fluorescence"):
                yield item(f"{e['id']}_{kind}", f"ecoli_{kind}", read_png(base / f"{kind}/{e['id']}.png"), labels, flows)


def volumes(root, split, flows):
    names = json.loads((root / "bbbc050_3d/splits.json").read_text())[split]
    for name in names:
        path = root / f"bbbc050_3d/images/{name}.tif"
        if path.exists():
            v, l = isotropic(tifffile.imread(path), tifffile.imread(root / f"bbbc050_3d/masks/{name}.tif"), 1.75 / 0.8)
            yield from planes(name, "bbbc050", v, l, 4, 5, 5, flows)
    if split != "train":
        return
    for folder, name, factor, steps in (("gonuclear_3d", "1135", 0.2837 / 0.1268, (8, 4, 4)), ("plantseg_ovule_3d", "ovule_x000-079", 0.235 / 0.15, (3, 6, 4))):
        v, l = isotropic(tifffile.imread(root / f"{folder}/images/{name}.tif"), tifffile.imread(root / f"{folder}/masks/{name}.tif"), factor)
        yield from planes(name, folder.split("_")[0], v, l, *steps, flows)
    base = root / "stardist_samples"
    yield item("img2d_512", "stardist", tifffile.imread(base / "img2d_512.tif").astype(np.float32)[None], tifffile.imread(base / "mask2d_512.tif"), flows)
    v, l = isotropic(tifffile.imread(base / "img3d.tif"), tifffile.imread(base / "mask3d.tif"), 1.0)
    yield from planes("img3d", "stardist3d", v, l, 4, 8, 8, flows)


def load(root, cache, split):
    """All items of a split ('train' or 'val'); computed once, then read from the cache file."""
    cache = Path(cache) / f"{split}.pickle"
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    root, flows = Path(root), split == "train"
    items = [*dsb2018(root, split, flows), *simple(root, "bbbc039", split, flows), *simple(root, "usiigaci_phase", split, flows),
             *codex(root, split, flows), *ecoli(root, split, flows), *volumes(root, split, flows)]
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_suffix(".part")
    part.write_bytes(pickle.dumps(items, protocol=5))
    part.rename(cache)
    return items
