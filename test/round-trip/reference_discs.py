"""Mean IoU of the visible parts of two overlapping discs after labels -> flows -> labels with the PyPI package
`cellpose`, as overlapping-discs.ts computes it. Writes reference-discs.json beside itself."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from cellpose import dynamics

DIAMETERS = [20, 40]
PERCENT = list(range(0, 100, 5))


def discs(diameter, percent):
    distance = diameter * (100 - percent) / 100
    side = 2 * diameter + 24
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint16)
    for label, shift in ((1, -distance / 2), (2, distance / 2)):
        labels[(y - side / 2) ** 2 + (x - side / 2 - shift) ** 2 <= diameter**2 / 4] = label
    return labels


def best_iou(part, found):
    ious = [
        (part & (found == k)).sum() / (part | (found == k)).sum() for k in range(1, found.max() + 1)
    ]
    return max(ious, default=0)


def mean_iou(diameter, percent):
    labels = discs(diameter, percent)
    flows = dynamics.labels_to_flows([labels])[0][-2:].astype(np.float32)
    cellprob = np.where(labels > 0, 5, -5).astype(np.float32)
    found = dynamics.compute_masks(
        5 * flows, cellprob, niter=200, min_size=-1, flow_threshold=0, max_size_fraction=1.0
    )
    return float(np.mean([best_iou(labels == label, found) for label in (1, 2)]))


result = {
    "package": f"cellpose {version('cellpose')}",
    "meanIou": {d: [round(mean_iou(d, p), 4) for p in PERCENT] for d in DIAMETERS},
}
Path(__file__).with_name("reference-discs.json").write_text(json.dumps(result) + "\n")
