"""Flows and probabilities to labels (Cellpose 4 dynamics), numba, for evaluation during training only.

The product's own implementation is the reference for published numbers; this one follows the same steps with plain
float32 interpolation and no emulation of the reference's rounding.
"""
import numba
import numpy as np
from scipy import ndimage

from flow_targets import flows_from_masks


@numba.njit(cache=True, fastmath=True)
def _follow(flow, ys, xs, iterations):
    h, w = flow.shape[1:]
    out = np.zeros((2, len(ys)), np.int32)
    for k in range(len(ys)):
        y, x = np.float32(ys[k]), np.float32(xs[k])
        for _ in range(iterations):
            qy, qx = y * h / (h - 1) - 0.5, x * w / (w - 1) - 0.5
            iy, ix = int(np.floor(qy)), int(np.floor(qx))
            fy, fx = qy - iy, qx - ix
            dy = np.float32(0)
            dx = np.float32(0)
            for a in range(2):
                for b in range(2):
                    if 0 <= iy + a < h and 0 <= ix + b < w:
                        weight = (fy if a else 1 - fy) * (fx if b else 1 - fx)
                        dy += weight * flow[0, iy + a, ix + b]
                        dx += weight * flow[1, iy + a, ix + b]
            y = min(max(y + dy, 0), h - 1)
            x = min(max(x + dx, 0), w - 1)
        out[0, k], out[1, k] = int(y), int(x)
    return out


@numba.njit(cache=True)
def _label(counts, seeds):
    labels = np.zeros(counts.shape, np.int32)
    for k in range(len(seeds)):
        sy, sx = seeds[k]
        region = np.zeros((11, 11), np.uint8)
        region[5, 5] = 1
        for _ in range(5):
            grown = region.copy()
            for y in range(11):
                for x in range(11):
                    if counts[sy + y - 5, sx + x - 5] > 2:
                        for b in range(max(0, y - 1), min(11, y + 2)):
                            for a in range(max(0, x - 1), min(11, x + 2)):
                                if region[b, a]:
                                    grown[y, x] = 1
                    else:
                        grown[y, x] = 0
            region = grown
        for y in range(11):
            for x in range(11):
                if region[y, x]:
                    labels[sy + y - 5, sx + x - 5] = k + 1
    return labels


def masks_from_output(output, cellprob_threshold=0.0, flow_threshold=0.4, min_size=15, iterations=200, max_fraction=0.4):
    """Network output float32 [3, H, W] -> labels int32 [H, W]."""
    flow, probability = output[:2], output[2]
    shape = probability.shape
    inside = probability > cellprob_threshold
    result = np.zeros(shape, np.int32)
    if not inside.any():
        return result
    ys, xs = np.nonzero(inside)
    end = _follow(np.ascontiguousarray(flow * inside / 5, dtype=np.float32), ys, xs, iterations) + 20
    counts = np.zeros((shape[0] + 40, shape[1] + 40), np.int32)
    np.add.at(counts, (end[0], end[1]), 1)
    seeds = np.argwhere((counts > 10) & (counts == ndimage.maximum_filter(counts, 5)))
    if not len(seeds):
        return result
    seeds = seeds[np.argsort(counts[seeds[:, 0], seeds[:, 1]], kind="stable")]
    result[ys, xs] = _label(counts, seeds)[end[0], end[1]]

    def keep(labels, good):
        good[0] = False
        return (np.cumsum(good) * good)[labels].astype(np.int32)

    result = keep(result, (sizes := np.bincount(result.ravel())) * (sizes <= max_fraction * result.size) > 0)
    if flow_threshold and result.max():
        error = ((flows_from_masks(result) - flow / 5) ** 2).sum(0)
        mean = ndimage.mean(error, result, np.arange(result.max() + 1))
        result = keep(result, mean <= flow_threshold)
    result = keep(result, np.bincount(result.ravel()) >= min_size)
    for k, box in enumerate(ndimage.find_objects(result), 1):
        filled = ndimage.binary_fill_holes(result[box] == k)
        result[box][filled] = k
    return result


def matched(truth, predicted, thresholds):
    """(true positives per threshold, truth, predicted); thresholds are 0.5 or more."""
    n, m = int(truth.max()), int(predicted.max())
    if n == 0 or m == 0:
        return [0] * len(thresholds), n, m
    overlap = np.bincount(truth.ravel().astype(np.int64) * (m + 1) + predicted.ravel(), minlength=(n + 1) * (m + 1)).reshape(n + 1, m + 1)
    iou = overlap[1:, 1:] / (overlap.sum(1)[1:, None] + overlap.sum(0)[None, 1:] - overlap[1:, 1:])
    # Above one half a label can match one other only; at exactly one half the distinct truths are counted.
    out = [len(np.unique(np.nonzero(iou >= t)[0])) for t in thresholds]
    return out, n, m


def average_precision(truth, predicted, thresholds=(0.5, 0.75, 0.9)):
    """TP / (TP + FP + FN) per threshold; two empty label images give 1."""
    tp, n, m = matched(truth, predicted, thresholds)
    return np.array([t / (n + m - t) if n + m else 1.0 for t in tp])
