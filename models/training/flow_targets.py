"""Masks to unit flows by heat diffusion (specification of Cellpose 4, masks_to_flows), written for numba.

`flows_from_masks(labels)` -> float32 [2, H, W], unit vectors (dY, dX) pointing at each label's centre, 0 outside.
"""
import numba
import numpy as np


@numba.njit(cache=True)
def _diffuse(labels, boxes, iterations, heat):
    for k in range(boxes.shape[0]):
        label, y0, x0, y1, x1, cy, cx = boxes[k]
        h, w = y1 - y0, x1 - x0
        inside = np.zeros((h + 2, w + 2), np.uint8)
        for y in range(h):
            for x in range(w):
                if labels[y0 + y, x0 + x] == label:
                    inside[y + 1, x + 1] = 1
        now = np.zeros((h + 2, w + 2), np.float64)
        after = np.zeros((h + 2, w + 2), np.float64)
        for _ in range(iterations):
            now[cy - y0 + 1, cx - x0 + 1] += 1.0
            for y in range(1, h + 1):
                for x in range(1, w + 1):
                    if inside[y, x]:
                        after[y, x] = (now[y - 1, x - 1] + now[y - 1, x] + now[y - 1, x + 1] + now[y, x - 1] + now[y, x]
                                       + now[y, x + 1] + now[y + 1, x - 1] + now[y + 1, x] + now[y + 1, x + 1]) / 9.0
            now, after = after, now
        for y in range(1, h + 1):
            for x in range(1, w + 1):
                if inside[y, x]:
                    heat[y0 + y - 1, x0 + x - 1] = now[y, x]


@numba.njit(cache=True)
def _boxes(labels, count):
    h, w = labels.shape
    box = np.zeros((count + 1, 4), np.int64)
    box[:, 0], box[:, 1] = h, w
    sums = np.zeros((count + 1, 3), np.float64)
    for y in range(h):
        for x in range(w):
            k = labels[y, x]
            if k > 0:
                box[k, 0], box[k, 1] = min(box[k, 0], y), min(box[k, 1], x)
                box[k, 2], box[k, 3] = max(box[k, 2], y + 1), max(box[k, 3], x + 1)
                sums[k, 0] += y
                sums[k, 1] += x
                sums[k, 2] += 1
    out = np.zeros((count, 7), np.int64)
    n = 0
    for k in range(1, count + 1):
        if sums[k, 2] == 0:
            continue
        my = box[k, 0] + np.round(sums[k, 0] / sums[k, 2] - box[k, 0])
        mx = box[k, 1] + np.round(sums[k, 1] / sums[k, 2] - box[k, 1])
        best, by, bx = 1e18, 0, 0
        for y in range(box[k, 0], box[k, 2]):
            for x in range(box[k, 1], box[k, 3]):
                if labels[y, x] == k:
                    d = (y - my) ** 2 + (x - mx) ** 2
                    if d < best:
                        best, by, bx = d, y, x
        out[n, 0], out[n, 1], out[n, 2], out[n, 3], out[n, 4] = k, box[k, 0], box[k, 1], box[k, 2], box[k, 3]
        out[n, 5], out[n, 6] = by, bx
        n += 1
    return out[:n]


def flows_from_masks(labels):
    labels = np.ascontiguousarray(labels, dtype=np.int32)
    h, w = labels.shape
    heat = np.zeros((h + 2, w + 2), np.float64)
    boxes = _boxes(labels, int(labels.max()))
    if len(boxes):
        iterations = int(2 * (boxes[:, 3] - boxes[:, 1] + boxes[:, 4] - boxes[:, 2] + 2).max())
        _diffuse(labels, boxes, iterations, heat[1:-1, 1:-1])
    flow = np.stack([heat[2:, 1:-1] - heat[:-2, 1:-1], heat[1:-1, 2:] - heat[1:-1, :-2]])
    flow /= 1e-60 + np.sqrt((flow ** 2).sum(0, keepdims=True))
    return (flow * (labels > 0)).astype(np.float32)
