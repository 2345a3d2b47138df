"""Times the reference implementation on arrays that masks.ts has saved: python reference_masks.py FOLDER

Prints one JSON object of seconds. One thread. Needs `cellpose` from PyPI.
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


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def masks(dP, cellprob, flow_threshold):
    return dynamics.resize_and_compute_masks(
        dP, cellprob, niter=200, cellprob_threshold=0, flow_threshold=flow_threshold, do_3D=dP.shape[0] == 3,
        min_size=15, max_size_fraction=0.4, device=device)


def follow(dP, cellprob):
    inds = np.nonzero(cellprob > 0)
    return dynamics.follow_flows(dP * (cellprob > 0) / 5.0, inds, niter=200, device=device)


times = {}
for name in sys.argv[2].split(","):
    dP, cellprob = np.load(folder / f"{name}-dP.npy"), np.load(folder / f"{name}-cellprob.npy")
    follow(dP[..., :64, :64], cellprob[..., :64, :64])  # warm up
    times[name] = {
        "dynamics": seconds(lambda: follow(dP, cellprob)),
        "total": seconds(lambda: masks(dP, cellprob, 0.4 if dP.shape[0] == 2 else 0)),
    }
planes = np.load(folder / "planes.npy").astype(np.int64)
times["stitch"] = seconds(lambda: utils.stitch3D(planes.copy(), stitch_threshold=0.25))
print(json.dumps(times))
