"""Writes reference_seg.npy, as Cellpose's masks_flows_to_seg stores a small result, and checks what Cytopane writes.

    python test/core/exports/reference_seg.py            # writes the reference
    python test/core/exports/reference_seg.py FILE.npy   # prints what NumPy reads in FILE.npy
"""

import collections
import os
import pathlib
import pickle
import sys

import numpy as np

here = pathlib.Path(__file__).resolve().parent
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

# What else may stand in such a file: other protocols, orders, types and classes.
masks = np.arange(12, dtype='>i4').reshape(3, 4)
various = {
    'masks': np.asfortranarray(masks), 'outlines': [np.array([[1, 2], [3, 4]]), np.array([[5, 6]])],
    'filename': pathlib.PurePosixPath('/a/b.tif'), 'diameter': np.float32(12.5), 'names': np.array(['ab', 'c']),
    'normalize_params': {'lowhigh': None, 'percentile': [1.0, 99.0], 'pair': (1, 2)}, 'flag': np.bool_(True),
    'order': collections.OrderedDict(a=1), 'objects': np.array([{'a': 1}, None, 'x'], dtype=object), 'set': {1, 2},
    'large': 2**40, 'negative': -7, 'bytes': b'abc', 'half': np.float16([1, 2]),
}
for protocol in (2, 3, 4, 5):
    with open(here / f'various_protocol_{protocol}_seg.npy', 'wb') as file:
        np.lib.format.write_array_header_1_0(file, {'descr': '|O', 'fortran_order': False, 'shape': ()})
        pickle.dump(np.array(various, dtype=object), file, protocol=protocol)
print(labels.max(), os.path.getsize(here / 'reference_seg.npy'))
