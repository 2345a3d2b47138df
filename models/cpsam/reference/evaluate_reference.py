"""Evaluates a plane and a stack with the cellpose package in every mode, for the tests of the whole pipeline.

    python fit_miniature.py ../../../test/models/cpsam/reference/discs.pth
    python evaluate_reference.py ../../../test/models/cpsam/reference

needs cellpose 4.2.1.1 and segment-anything 1.0 from PyPI; single floats on one core throughout, for other numbers of
threads give other last digits.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from cellpose import models

from fit_miniature import image_of_discs, use_wider_miniature

# Of flows and cell probabilities every so many rows and columns are kept.
STEP = 4
# A plane that takes two by two tiles.
HEIGHT, WIDTH = 264, 280
# Balls in a stack whose planes lie twice as far apart as pixels; DEPTH planes of ROWS x COLUMNS.
DEPTH, ROWS, COLUMNS, ANISOTROPY = 12, 48, 60, 2
EVALUATIONS = {
    "plane": {},
    "plane_scaled": {"diameter": 24},
    "volume": {"do_3D": True},
    "volume_anisotropic": {"do_3D": True, "anisotropy": ANISOTROPY},
    "volume_stitched": {"stitch_threshold": 0.25},
}


def plane_of_discs():
    """uint8 [y, x]"""
    image, _ = image_of_discs(np.random.default_rng(20260406), HEIGHT, WIDTH)
    return np.clip(20 + 180 * image, 0, 255).astype(np.uint8)


def stack_of_balls():
    """uint8 [z, y, x]"""
    random = np.random.default_rng(20260404)
    z, y, x = np.mgrid[:DEPTH, :ROWS, :COLUMNS].astype(np.float32) + 0.5
    stack = 30 + 10 * x / COLUMNS + random.normal(0, 3, z.shape)
    for centre in [(5, 11, 12), (7, 12, 36), (6, 32, 24), (4, 35, 47), (9, 36, 6), (8, 14, 55)]:
        away = np.sqrt((ANISOTROPY * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
        stack += random.uniform(120, 180) * np.clip(random.uniform(7.5, 9.5) - away + 0.5, 0, 1)
    return np.clip(stack, 0, 255).astype(np.uint8)


def evaluate(model, images, folder):
    """Labels of every evaluation, and of flows and cellprob every so many pixels. Returns what the labels are."""
    found = {}
    for name, options in EVALUATIONS.items():
        volume = name.startswith("volume")
        image = images["volume" if volume else "plane"]
        masks, (_, dP, cellprob), _ = model.eval(image, z_axis=0 if volume else None, **options)
        flows = np.concatenate([dP, cellprob[None]]).astype(np.float32)
        np.save(folder / f"{name}_flows.npy", flows[..., ::STEP, ::STEP])
        np.save(folder / f"{name}_labels.npy", masks.astype(np.uint8))
        found[name] = {**options, "labels": int(masks.max())}
    return found


def main(folder):
    torch.set_num_threads(1)
    use_wider_miniature()
    images = {"plane": plane_of_discs(), "volume": stack_of_balls()}
    for name, image in images.items():
        np.save(folder / f"{name}.npy", image)
    model = models.CellposeModel(gpu=False, pretrained_model=str(folder / "discs.pth"), use_bfloat16=False)
    facts = {"cellpose": version("cellpose"), "torch": version("torch"), "evaluations": evaluate(model, images, folder)}
    (folder / "evaluations.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
