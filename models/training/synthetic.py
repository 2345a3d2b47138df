"""Synthetic cells for looks that the real sets do not cover: packed membranes, overlapping blobs, rods, bright field.

`generate(rng, size)` -> (image float32 [C, H, W], labels int32 [H, W]).
"""
import cv2
import numpy as np
from scipy import ndimage


def smooth_noise(rng, shape, sigma):
    field = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma)
    return field / (field.std() + 1e-6)


def place_blobs(rng, size, diameter, coverage, elongation, wobble):
    """Random wobbly ellipses; later ones lie on top and may hide parts of earlier ones."""
    labels = np.zeros((size, size), np.int32)
    count = max(1, int(coverage * size * size / (np.pi / 4 * diameter ** 2)))
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32)
    for k in range(1, count + 1):
        cy, cx = rng.uniform(-5, size + 5, 2)
        a = diameter / 2 * np.exp(rng.normal(0, 0.2))
        b = a / np.exp(abs(rng.normal(0, elongation)))
        angle = rng.uniform(0, np.pi)
        reach = int(2 * max(a, b)) + 2
        box = np.s_[max(0, int(cy) - reach):max(1, int(cy) + reach), max(0, int(cx) - reach):max(1, int(cx) + reach)]
        dy, dx = yy[box] - cy, xx[box] - cx
        u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        theta = np.arctan2(v / b, u / a)
        edge = 1 + sum(wobble / n * np.cos(n * theta + rng.uniform(0, 6.3)) for n in (2, 3, 5))
        inside = np.hypot(u / a, v / b) < edge
        here = labels[box]
        if (here[inside] > 0).mean() < rng.choice([0.02, 0.25, 0.4]) if inside.any() else False:
            here[inside] = k
    return labels


def place_rods(rng, size, width, coverage):
    labels = np.zeros((size, size), np.int32)
    count = max(1, int(coverage * size * size / (width * width * 4)))
    for k in range(1, count + 1):
        cy, cx = rng.uniform(0, size, 2)
        length, angle, bend = width * rng.uniform(0.8, 5), rng.uniform(0, np.pi), rng.normal(0, 0.25)
        t = np.linspace(-1, 1, 12)
        x = cx + np.cumsum(np.cos(angle + bend * t)) * length / 12
        y = cy + np.cumsum(np.sin(angle + bend * t)) * length / 12
        rod = np.zeros((size, size), np.uint8)
        cv2.polylines(rod, [np.stack([x, y], 1).round().astype(np.int32)], False, 1, max(2, int(width * rng.uniform(0.85, 1.15))))
        if (labels[rod > 0] > 0).mean() < 0.03:
            labels[(rod > 0) & (labels == 0)] = k
    return labels


def place_tissue(rng, size, diameter):
    """Packed cells: a relaxed Voronoi diagram with warped borders, some cells left out."""
    step = diameter * 0.95
    points = np.stack(np.meshgrid(np.arange(-step, size + step, step), np.arange(-step, size + step, step)), -1).reshape(-1, 2)
    points = points + rng.normal(0, step * rng.uniform(0.12, 0.35), points.shape)
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32)
    yy = yy + smooth_noise(rng, (size, size), diameter / 3) * diameter * 0.08
    xx = xx + smooth_noise(rng, (size, size), diameter / 3) * diameter * 0.08
    from scipy.spatial import cKDTree
    labels = cKDTree(points).query(np.stack([xx, yy], -1).reshape(-1, 2))[1].reshape(size, size).astype(np.int32) + 1
    missing = rng.random(len(points) + 1) < rng.choice([0, 0.1, 0.35])
    labels[missing[labels]] = 0
    return labels


def borders(labels):
    out = np.zeros(labels.shape, np.float32)
    for axis in (0, 1):
        step = np.diff(labels, axis=axis) != 0
        out[1:, :] += step if axis == 0 else 0
        if axis == 1:
            out[:, 1:] += step
    return np.minimum(out, 1)


def per_cell(rng, labels, spread):
    value = np.exp(rng.normal(0, spread, labels.max() + 1)).astype(np.float32)
    value[0] = 0
    return value[labels]


def generate(rng, size=320):
    look = rng.choice(["nuclei", "tissue", "cytoplasm", "rods", "brightfield"], p=[0.2, 0.25, 0.2, 0.15, 0.2])
    diameter = float(np.exp(rng.uniform(np.log(12), np.log(70))))
    if look == "tissue":
        labels = place_tissue(rng, size, diameter)
    elif look == "rods":
        labels = place_rods(rng, size, rng.uniform(5, 14), rng.uniform(0.1, 0.6))
    else:
        labels = place_blobs(rng, size, diameter, rng.uniform(0.1, 1.1), rng.uniform(0.1, 0.5), rng.uniform(0, 0.12))
    inside = (labels > 0).astype(np.float32)
    depth = ndimage.distance_transform_edt((labels > 0) & (borders(labels) == 0)).astype(np.float32)
    background = 0.15 * rng.random() * smooth_noise(rng, labels.shape, rng.uniform(20, 60)) + rng.uniform(0.05, 0.3)
    texture = 1 + rng.uniform(0.05, 0.35) * smooth_noise(rng, labels.shape, rng.uniform(1, 4))
    dome = np.minimum(depth / (diameter * rng.uniform(0.08, 0.5)), 1) ** rng.uniform(0.3, 1)
    membrane = cv2.GaussianBlur(borders(labels), (0, 0), rng.uniform(0.7, 1.8))
    membrane /= membrane.max() + 1e-6
    if look in ("nuclei", "cytoplasm"):
        body = per_cell(rng, labels, rng.uniform(0.1, 0.6)) * texture * dome
        if look == "cytoplasm":
            hole = depth > diameter * rng.uniform(0.2, 0.3)
            body = body * np.where(hole, rng.uniform(0.2, 1.0), 1) + rng.uniform(0, 0.8) * membrane
        image = [background + body]
        if look == "cytoplasm" and rng.random() < 0.5:
            image.append(background * 0.5 + (depth > diameter * 0.22) * per_cell(rng, labels, 0.3))
    elif look == "tissue":
        image = [background + membrane * (1 + 0.3 * smooth_noise(rng, labels.shape, 8)) + rng.uniform(0, 0.3) * inside * texture]
        if rng.random() < 0.5:
            image.append(background * 0.5 + (depth > diameter * rng.uniform(0.1, 0.25)) * per_cell(rng, labels, 0.4) * texture)
        if rng.random() < 0.2:
            image.append(inside * per_cell(rng, labels, 0.4) * texture)
    else:
        outside = ndimage.distance_transform_edt(labels == 0).astype(np.float32)
        width = rng.uniform(1.0, 3.0) if look == "rods" else rng.uniform(1.5, 4)
        halo = np.exp(-(outside / width) ** 2) * (labels == 0)
        rim = np.exp(-(depth / width) ** 2) * inside
        sign = rng.choice([-1, 1])
        inner = rng.uniform(-0.5, 0.6) * inside * texture * per_cell(rng, labels, 0.15)
        image = [1 + 0.3 * background + sign * (rng.uniform(0.3, 1) * halo - rng.uniform(0.4, 1.2) * rim) + inner
                 + rng.uniform(0.02, 0.1) * smooth_noise(rng, labels.shape, rng.uniform(1, 3))]
    blur = rng.uniform(0.4, 1.6)
    image = np.stack([cv2.GaussianBlur(c.astype(np.float32), (0, 0), blur) for c in image])
    image += rng.uniform(0.005, 0.06) * image.std() * rng.standard_normal(image.shape).astype(np.float32)
    if len(image) > 1 and rng.random() < 0.5:
        image = image[::-1]
    return image, labels
