"""Picture of what goes wrong: python failures.py --weights ../default/model.onnx --out ../default/failures.png

One validation image of each set that is far from perfect, the worst part of it: image, truth and result side by side;
matched cells (IoU 0.5) green, missed cells yellow, false cells red.
"""
import argparse

import cv2
import numpy as np
from PIL import Image

import image_sets
from dynamics import average_precision
from evaluate import runner, segment

SETS = ["dsb_fluo_small", "dsb_purple_on_purple", "usiigaci", "codex2", "ecoli_fluorescence"]
SIDE, SHOWN = 192, 256
GREEN, YELLOW, RED = (90, 220, 90), (255, 210, 0), (255, 70, 70)


def matched_labels(truth, labels):
    """Which truths and which results have a partner (IoU 0.5 or more)."""
    n, m = int(truth.max()), int(labels.max())
    overlap = np.bincount(truth.ravel().astype(np.int64) * (m + 1) + labels.ravel(), minlength=(n + 1) * (m + 1)).reshape(n + 1, m + 1)
    union = overlap.sum(1, keepdims=True) + overlap.sum(0, keepdims=True) - overlap
    good = (overlap >= 0.5 * union)[1:, 1:]
    return np.concatenate([[False], good.any(1)]), np.concatenate([[False], good.any(0)])


def drawn(picture, labels, good, wrong):
    side = picture.shape[0]
    large = cv2.resize(labels.astype(np.int32), (side, side), interpolation=cv2.INTER_NEAREST)
    edge = (large != np.roll(large, 1, 0)) | (large != np.roll(large, 1, 1))
    inner = edge & (large > 0) | edge & (np.roll(large, 1, 0) > 0) & (large == 0)
    owner = np.where(large > 0, large, np.maximum(np.roll(large, 1, 0), np.roll(large, 1, 1)))
    out = picture.copy()
    out[inner & good[owner]], out[inner & ~good[owner]] = GREEN, wrong
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--cache", default="/tmp/train-cache")
    p.add_argument("--weights", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    run, rows = runner(a.weights, a.threads), []
    items = [e for e in image_sets.load(a.data, a.cache, "val") if e["labels"].max() > 0]
    for name in SETS:
        members = [e for e in items if e["set"] == name][:: 4 if name == "dsb_fluo_small" else 3 if name == "usiigaci" else 1]
        results = [segment(run, e["image"].astype(np.float32)) for e in members]
        scores = [average_precision(e["labels"], r)[0] for e, r in zip(members, results)]
        worst = int(np.argmin(scores))
        entry, labels = members[worst], results[worst]
        good_truth, good_labels = matched_labels(entry["labels"], labels)
        wrong = (~good_truth[entry["labels"]] & (entry["labels"] > 0)) | (~good_labels[labels] & (labels > 0))
        h, w = wrong.shape
        side = min(SIDE, h, w)
        density = cv2.blur(wrong.astype(np.float32), (side, side), borderType=cv2.BORDER_CONSTANT)
        cy, cx = np.unravel_index(np.argmax(density[side // 2:h - side // 2 + 1, side // 2:w - side // 2 + 1]), (h - side + 1, w - side + 1))
        box = np.s_[cy:cy + side, cx:cx + side]
        planes = np.clip(entry["image"].astype(np.float32)[(slice(None), *box)], 0, 1)
        picture = np.moveaxis(np.repeat(planes, 3, 0) if len(planes) == 1 else planes[:3], 0, -1)
        picture = cv2.resize((picture * 255).astype(np.uint8), (SHOWN, SHOWN), interpolation=cv2.INTER_LINEAR)
        rows.append(np.concatenate([picture, drawn(picture, entry["labels"][box], good_truth, YELLOW), drawn(picture, labels[box], good_labels, RED)], 1))
        print(f"{name} {entry['name']}: AP@0.5 {scores[worst]:.3f}, {labels.max()} cells, {entry['labels'].max()} in truth")
    Image.fromarray(np.concatenate(rows)).quantize(64).save(a.out, optimize=True)


if __name__ == "__main__":
    main()
