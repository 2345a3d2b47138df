"""Mean IoU of the visible parts of two overlapping discs after labels -> flows -> labels with the PyPI package
`cellpose`, as overlapping-discs.ts computes it. Writes reference-discs.json beside itself."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from cellpose import dynamics

DIAMETERS = [20, 40, 100]
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


def mean_ious(diameter, percent):
    """Without and with the flow error check."""
    labels = discs(diameter, percent)
    flows = dynamics.labels_to_flows([labels])[0][-2:].astype(np.float32)
    cellprob = np.where(labels > 0, 5, -5).astype(np.float32)
    results = []
    for flow_threshold in (0, 0.4):
        found = dynamics.compute_masks(
            5 * flows, cellprob, niter=200, min_size=-1, flow_threshold=flow_threshold, max_size_fraction=1.0
        )
        results.append(round(float(np.mean([best_iou(labels == label, found) for label in (1, 2)])), 4))
    return results


result = {"package": f"cellpose {version('cellpose')}", "meanIou": {}, "meanIouQc": {}}
for d in DIAMETERS:
    result["meanIou"][d], result["meanIouQc"][d] = zip(*(mean_ious(d, p) for p in PERCENT))
    print(d, "px", flush=True)
Path(__file__).with_name("reference-discs.json").write_text(json.dumps(result) + "\n")
