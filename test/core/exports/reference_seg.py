"""Writes reference_seg.npy, as Cellpose's masks_flows_to_seg stores a small result, and checks what Cytopane writes.

    python test/core/exports/reference_seg.py            # writes the reference
    python test/core/exports/reference_seg.py FILE.npy   # prints what NumPy reads in FILE.npy
"""

import os
import sys
from pathlib import Path

import numpy as np

here = Path(__file__).resolve().parent
if len(sys.argv) > 1:
    data = np.load(sys.argv[1], allow_pickle=True).item()
    for key, value in data.items():
        print(key, (value.dtype, value.shape, int(value.sum())) if isinstance(value, np.ndarray) else value)
    sys.exit()

from cellpose.io import masks_flows_to_seg
from skimage import io

labels = io.imread(here.parents[2] / 'demo' / 'data' / 'nuclei-small-2d-labels.png')[:48, :64].astype(np.uint16)
labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.uint16)
image = np.zeros(labels.shape, np.uint8)
flow = np.zeros((*labels.shape, 3), np.uint8)
os.chdir(here)
masks_flows_to_seg(image, labels, [flow, np.zeros((2, *labels.shape), np.float32), labels.astype(np.float32)], 'reference.png')
np.save(here / 'reference_seg_masks.npy', labels)
print(labels.max(), os.path.getsize(here / 'reference_seg.npy'))
