"""Writes reference-measurements.json: what scikit-image measures on small real label images of demo/data.

    python test/core/measure/reference_measurements.py
"""

import json
from pathlib import Path

import numpy as np
import skimage
import tifffile
from skimage import io, measure

here = Path(__file__).resolve().parent
data = here.parents[2] / 'demo' / 'data'

COMMON = {
    'label': 'label', 'area': 'size', 'equivalent_diameter_area': 'equivalent_diameter', 'solidity': 'solidity',
    'axis_major_length': 'axis_major', 'axis_minor_length': 'axis_minor', 'intensity_mean': 'mean_1',
    'intensity_min': 'min_1', 'intensity_max': 'max_1', 'intensity_std': 'sd_1',
}


def neighbours(labels):
    """Pairs of labels that share a face."""
    pairs = set()
    for axis in range(labels.ndim):
        a = np.moveaxis(labels, axis, 0)[:-1].ravel()
        b = np.moveaxis(labels, axis, 0)[1:].ravel()
        meet = (a != b) & (a > 0) & (b > 0)
        pairs |= {tuple(sorted(map(int, p))) for p in zip(a[meet], b[meet])}
    return {int(n): sum(n in pair for pair in pairs) for n in np.unique(labels) if n}


def rows(labels, image, spacing):
    touching = neighbours(labels)
    axes = 'zyx'[-labels.ndim:]
    for region in measure.regionprops(labels, image, spacing=spacing):
        row = {name: float(getattr(region, key)) for key, name in COMMON.items()}
        row['integrated_1'] = float(image[labels == region.label].sum(dtype=np.float64))
        for k, axis in enumerate(axes):
            row[f'centroid_{axis}'] = float(region.centroid[k])
            row[f'box_{axis}0'] = int(region.bbox[k])
            row[f'box_{axis}1'] = int(region.bbox[k + labels.ndim])
        row['neighbours'] = touching[region.label]
        if labels.ndim == 2:
            row['eccentricity'] = float(region.eccentricity)
            if len(set(spacing)) == 1:
                row['perimeter'] = float(region.perimeter)
        else:
            mask = np.pad(region.image, 1)
            vertices, faces, _, _ = measure.marching_cubes(mask.astype(np.float32), 0.5, spacing=spacing)
            row['surface'] = float(measure.mesh_surface_area(vertices, faces))
        yield {key: value if isinstance(value, int) else float(f'{value:.12g}') for key, value in row.items()}


def plane(name, spacing):
    image = io.imread(data / f'{name}.png')
    labels = io.imread(data / f'{name}-labels.png').astype(np.int32)
    return {'image': f'{name}.png', 'labels': f'{name}-labels.png', 'spacing': [1, *spacing],
            'rows': list(rows(labels, image, spacing))}


def stack(spacing):
    image = tifffile.imread(data / 'embryo-3d.tif')
    labels = tifffile.imread(data / 'embryo-3d-labels.tif').astype(np.int32)
    return {'image': 'embryo-3d.tif', 'labels': 'embryo-3d-labels.tif', 'spacing': list(spacing),
            'rows': list(rows(labels, image, spacing))}


cases = [plane('nuclei-2d', (1, 1)), plane('nuclei-2d', (0.5, 0.3)), plane('nuclei-large-2d', (0.65, 0.65)),
         stack((1.75, 0.8, 0.8))]
text = json.dumps({'scikit-image': skimage.__version__, 'cases': cases}, separators=(',', ':'))
(here / 'reference-measurements.json').write_text(text.replace('{"label"', '\n{"label"') + '\n')
print([(case['labels'], len(case['rows'])) for case in cases])
