"""3D validation: planes of three orientations through the network, summed flows, 3D dynamics; or 2D labels stitched.

    python evaluate_3d.py --data DATA --weights FILE

Volumes are made isotropic first; labels are compared on the original planes. Set: BBBC050 val. GoNuclear and PlantSeg
are reported too, but their only volume is training data here, so those two figures say nothing about new volumes.
"""
import argparse
import json
from pathlib import Path

import numba
import numpy as np
import tifffile
from scipy import ndimage

import image_sets
from dynamics import average_precision, masks_from_output
from evaluate import predict, runner


@numba.njit(cache=True, fastmath=True)
def _follow(flow, points, iterations):
    """flow float32 [3, Z, Y, X], points int [N, 3] -> final int positions [N, 3]; trilinear, zero outside."""
    size = np.array(flow.shape[1:])
    out = np.zeros(points.shape, np.int32)
    q, v, base, part = np.zeros(3), np.zeros(3), np.zeros(3, np.int64), np.zeros(3)
    for k in range(len(points)):
        for a in range(3):
            q[a] = points[k, a]
        for _ in range(iterations):
            for a in range(3):
                s = q[a] * size[a] / (size[a] - 1) - 0.5
                base[a] = int(np.floor(s))
                part[a] = s - base[a]
                v[a] = 0
            for corner in range(8):
                weight = 1.0
                inside = True
                i = np.array([0, 0, 0])
                for a in range(3):
                    bit = (corner >> a) & 1
                    weight *= part[a] if bit else 1 - part[a]
                    i[a] = base[a] + bit
                    inside = inside and 0 <= i[a] < size[a]
                if inside:
                    for a in range(3):
                        v[a] += weight * flow[a, i[0], i[1], i[2]]
            for a in range(3):
                q[a] = min(max(q[a] + v[a], 0), size[a] - 1)
        for a in range(3):
            out[k, a] = int(q[a])
    return out


def masks_3d(flow, probability, min_size=15, iterations=200):
    inside = probability > 0
    labels = np.zeros(probability.shape, np.int32)
    if not inside.any():
        return labels
    points = np.argwhere(inside)
    end = _follow(np.ascontiguousarray(flow * inside / 5, dtype=np.float32), points, iterations) + 20
    counts = np.zeros(np.array(probability.shape) + 40, np.int32)
    np.add.at(counts, tuple(end.T), 1)
    seeds = np.argwhere((counts > 10) & (counts == ndimage.maximum_filter(counts, 5)))
    seeds = seeds[np.argsort(counts[tuple(seeds.T)], kind="stable")]
    sinks = np.zeros(counts.shape, np.int32)
    for k, (z, y, x) in enumerate(seeds, 1):
        box = np.s_[z - 5:z + 6, y - 5:y + 6, x - 5:x + 6]
        region = np.zeros((11, 11, 11), bool)
        region[5, 5, 5] = True
        for _ in range(5):
            region = ndimage.binary_dilation(region, np.ones((3, 3, 3))) & (counts[box] > 2)
        sinks[box][region] = k
    labels[inside] = sinks[tuple(end.T)]
    sizes = np.bincount(labels.ravel())
    good = (sizes >= min_size) & (sizes <= 0.4 * labels.size)
    good[0] = False
    return (np.cumsum(good) * good)[labels].astype(np.int32)


def stitch(planes, threshold):
    """2D labels [Z, Y, X] -> 3D labels: each label takes the id of the best overlapping one below if IoU >= threshold."""
    out, highest = planes.copy(), int(planes[0].max())
    for z in range(1, len(planes)):
        below, here = out[z - 1], planes[z]
        for k in range(1, int(here.max()) + 1):
            mine = here == k
            ids, overlaps = np.unique(below[mine], return_counts=True)
            best, best_iou = 0, 0.0
            for i, o in zip(ids, overlaps):
                if i and (iou := o / (mine.sum() + (below == i).sum() - o)) > best_iou:
                    best, best_iou = i, iou
            if best_iou < threshold:
                highest += 1
                best = highest
            out[z][mine] = best
    return image_sets.compact(out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--weights", required=True)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--volumes", type=int, default=4)
    p.add_argument("--others", action="store_true", help="also the two training volumes")
    a = p.parse_args()
    run, root = runner(a.weights, a.threads), Path(a.data)
    names = [("bbbc050_3d", n, 1.75 / 0.8) for n in json.loads((root / "bbbc050_3d/splits.json").read_text())["val"][:a.volumes]]
    if a.others:
        names += [("gonuclear_3d", "1135", 0.2837 / 0.1268), ("plantseg_ovule_3d", "ovule_x000-079", 0.235 / 0.15)]
    rows = {}
    for folder, name, factor in names:
        volume = tifffile.imread(root / f"{folder}/images/{name}.tif").astype(np.float32)
        truth = image_sets.compact(tifffile.imread(root / f"{folder}/masks/{name}.tif"))
        volume = image_sets.normalise(volume[None])[0]
        planes = np.stack([masks_from_output(predict(run, plane[None])) for plane in volume])
        stitched = {t: average_precision(truth, stitch(planes, t))[0] for t in (0.25, 0.5)}
        solid = ndimage.zoom(volume, (factor, 1, 1), order=1)
        flow, probability = np.zeros((3, *solid.shape), np.float32), np.zeros(solid.shape, np.float32)
        for axis in range(3):
            pair = [i for i in range(3) if i != axis]
            for i in range(solid.shape[axis]):
                at = [slice(None)] * 3
                at[axis] = i
                y = predict(run, np.ascontiguousarray(solid[tuple(at)])[None])
                flow[(pair[0], *at)] += y[0]
                flow[(pair[1], *at)] += y[1]
                probability[tuple(at)] += y[2]
        zoom = [n / m for n, m in zip(truth.shape, solid.shape)]
        labels = ndimage.zoom(masks_3d(flow, probability), zoom, order=0)
        row = dict(flows=average_precision(truth, image_sets.compact(labels))[0], **{f"stitch {t}": v for t, v in stitched.items()})
        rows.setdefault(folder, []).append(list(row.values()))
        print(folder, name, "objects", truth.max(), "found", labels.max(), {k: round(float(v), 3) for k, v in row.items()}, flush=True)
    for folder, values in rows.items():
        print(folder, "mean AP@0.5: flows, stitch 0.25, stitch 0.5:", np.mean(values, 0).round(3))


if __name__ == "__main__":
    main()
