"""Crops of the training images that a model keeps, so that fine-tuning in the page can hold on to what it knows.

    python rehearsal.py --data DATA --out ../default/rehearsal.npy [--leave-out usiigaci]

Written: uint8 [N, 3, 160, 160], round(160 * normalised value) + 48, cut at 0 and 255; unused channels 48. Images whose
cells are smaller than 24 or larger than 60 pixels are scaled to 30, as the product shows them to the network.
"""
import argparse

import cv2
import numpy as np

import image_sets

SIDE, GAIN, ZERO = 160, 160, 48
COUNTS = {"dsb_fluo_small": 6, "dsb_fluo_large": 3, "dsb_purple_on_purple": 2, "dsb_purple_on_white": 2, "dsb_gray_brightfield": 1, "bbbc039": 3,
          "usiigaci": 3, "codex2": 2, "ecoli_brightfield": 1, "ecoli_fluorescence": 1, "bbbc050_z": 1, "gonuclear_z": 1, "plantseg_z": 1}


def crop(entry, rng):
    sizes = np.bincount(entry["labels"].ravel())[1:]
    diameter = float(np.median(np.sqrt(sizes * 4 / np.pi)))
    scale = 1.0 if 24 <= diameter <= 60 else 30 / max(diameter, 15)
    h, w = entry["labels"].shape
    size = (round(w * scale), round(h * scale))
    image = np.stack([cv2.resize(c.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) for c in entry["image"][:3]])
    image = np.pad(image, ((0, 3 - len(image)), (0, max(0, SIDE - size[1])), (0, max(0, SIDE - size[0]))))
    inside = cv2.resize((entry["labels"] > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    tries = [(rng.integers(image.shape[1] - SIDE + 1), rng.integers(image.shape[2] - SIDE + 1)) for _ in range(8)]
    y, x = max(tries, key=lambda at: inside[at[0]:at[0] + SIDE, at[1]:at[1] + SIDE].sum())
    return image[:, y:y + SIDE, x:x + SIDE]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--cache", default="/tmp/train-cache")
    p.add_argument("--out", required=True)
    p.add_argument("--leave-out", nargs="*", default=[], help="sets that are not used, by the start of their name")
    p.add_argument("--seed", type=int, default=7)
    a = p.parse_args()
    rng, items, crops = np.random.default_rng(a.seed), image_sets.load(a.data, a.cache, "train"), []
    for name, count in COUNTS.items():
        if not name.startswith(tuple(a.leave_out) or ("-",)):
            group = [e for e in items if e["set"] == name and e["labels"].any()]
            crops += [crop(group[i], rng) for i in rng.choice(len(group), count, replace=len(group) < count)]
    np.save(a.out, np.clip(np.round(np.stack(crops) * GAIN) + ZERO, 0, 255).astype(np.uint8))
    print(len(crops), "crops")


if __name__ == "__main__":
    main()
