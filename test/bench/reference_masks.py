"""Times the reference implementation on arrays that masks.ts has saved: python reference_masks.py FOLDER NAMES RUNS

Prints one JSON object: seconds of processor time per stage, on one thread. Needs `cellpose` from PyPI.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from cellpose import dynamics, utils

torch.set_num_threads(1)
folder = Path(sys.argv[1])
device = torch.device("cpu")
spent = {}


def timed(module, function, stage):
    """Adds up what a function of the reference takes when the reference calls it."""
    work = getattr(module, function)

    def wrapper(*args, **kwargs):
        start = time.process_time()
        try:
            return work(*args, **kwargs)
        finally:
            spent[stage] = spent.get(stage, 0) + time.process_time() - start

    setattr(module, function, wrapper)


timed(dynamics, "follow_flows", "dynamics")
timed(dynamics, "get_masks_torch", "clusters")
timed(dynamics, "remove_bad_flow_masks", "control")
timed(utils, "fill_holes_and_remove_small_masks", "cleaning")


def masks(dP, cellprob):
    return dynamics.resize_and_compute_masks(
        dP, cellprob, niter=200, cellprob_threshold=0, flow_threshold=0.4, do_3D=dP.shape[0] == 3,
        min_size=15, max_size_fraction=0.4, device=device)


def best(work):
    """The quickest of RUNS runs, or of as many as fit into 90 seconds."""
    runs = []
    while len(runs) < int(sys.argv[3]) and sum(run["total"] for run in runs) < 90:
        spent.clear()
        start = time.process_time()
        work()
        runs.append({**spent, "total": time.process_time() - start})
    return min(runs, key=lambda run: run["total"])


times = {}
for name in filter(None, sys.argv[2].split(",")):
    if name.startswith("stack"):
        planes = np.load(folder / f"{name}.npy").astype(np.int64)
        times[name] = best(lambda: utils.stitch3D(planes.copy(), stitch_threshold=0.25))
        continue
    dP, cellprob = np.load(folder / f"{name}-dP.npy"), np.load(folder / f"{name}-cellprob.npy")
    masks(dP[..., :64, :64], cellprob[..., :64, :64])  # warm up
    times[name] = best(lambda: masks(dP, cellprob))
print(json.dumps(times))
