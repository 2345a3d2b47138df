"""One training crop from one item: geometry first, then channels, intensity and degradation.

The crop's area outside the source image is 0 in image and target, as the zero padding at inference is.
"""
import cv2
import numpy as np

from synthetic import smooth_noise

cv2.setNumThreads(0)


def percentile_normalise(plane, valid=None):
    sample = plane[::3, ::3] if valid is None else plane[::3, ::3][valid[::3, ::3]]
    lo, hi = np.percentile(sample, (1, 99)) if sample.size else (0.0, 0.0)
    return (plane - lo) / (hi - lo) if hi - lo > 1e-3 else np.zeros_like(plane)


def warp(entry, rng, size, near, standard=0.0):
    """Rotates, flips, scales, crops. Returns image [C, S, S], mask [S, S], flow [2, S, S], the pixels that lie inside
    the source [S, S] and the scale used."""
    h, w = entry["labels"].shape
    median = entry["diameter"]
    scale = float(np.clip(np.exp(rng.normal(0, 0.36)), 0.4, 2.6))
    if median and rng.random() < standard:  # as the product's second pass shows it: cells of about 30 pixels
        scale = float(np.clip(30 / median * np.exp(rng.normal(0, 0.25)), 0.3, 3.0))
    if min(h, w) * scale < 0.7 * size:
        scale = max(scale, float(rng.uniform(0.5, 1.0)))
    scale = float(np.clip(scale, 6.5 / median, max(130 / median, 0.4))) if median else scale
    if len(entry["pixels"]) and rng.random() < near:
        cy, cx = divmod(int(entry["pixels"][rng.integers(len(entry["pixels"]))]), w)
        reach = 0.3 * size / scale
        cy, cx = cy + rng.uniform(-reach, reach), cx + rng.uniform(-reach, reach)
    else:
        cy, cx = rng.uniform(0, h), rng.uniform(0, w)
    half = 0.42 * size / scale  # keep the crop inside where the image is large enough
    cy = float(np.clip(cy, min(half, h / 2), max(h - half, h / 2)))
    cx = float(np.clip(cx, min(half, w / 2), max(w - half, w / 2)))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
    flip = rng.random() < 0.5
    sx, sy = scale * np.exp(rng.normal(0, 0.06)), scale * np.exp(rng.normal(0, 0.06))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.diag([-sx if flip else sx, sy])  # source (x, y) -> target (x, y)
    reach = int(0.75 * size / min(sx, sy)) + 4
    y0, x0 = max(0, int(cy) - reach), max(0, int(cx) - reach)
    box = np.s_[y0:min(h, int(cy) + reach), x0:min(w, int(cx) + reach)]
    offset = np.array([size / 2, size / 2]) - matrix @ np.array([cx - x0, cy - y0])
    affine = np.concatenate([matrix, offset[:, None]], 1)
    planes = entry["image"][(slice(None), *box)].astype(np.float32)
    if scale < 0.75 and rng.random() < 0.8:
        planes = np.stack([cv2.GaussianBlur(p, (0, 0), 0.45 / scale) for p in planes])
    image = np.stack([cv2.warpAffine(p, affine, (size, size), flags=cv2.INTER_LINEAR) for p in planes])
    valid = cv2.warpAffine(np.ones(planes.shape[1:], np.uint8), affine, (size, size), flags=cv2.INTER_NEAREST) > 0
    mask = cv2.warpAffine((entry["labels"][box] > 0).astype(np.uint8), affine, (size, size), flags=cv2.INTER_NEAREST)
    flow = entry["flows"][(slice(None), *box)].astype(np.float32) / 127
    fy, fx = (cv2.warpAffine(f, affine, (size, size), flags=cv2.INTER_LINEAR) for f in flow)
    direction = rotation @ np.diag([-1.0 if flip else 1.0, 1.0])
    gx, gy = direction[0, 0] * fx + direction[0, 1] * fy, direction[1, 0] * fx + direction[1, 1] * fy
    length = np.hypot(gx, gy)
    unit = np.where(length > 0.3, 1 / np.maximum(length, 0.3), 1.0) * mask
    return image, mask.astype(np.float32), np.stack([gy * unit, gx * unit]).astype(np.float32), valid, scale


def arrange_channels(image, group, rng):
    """Chooses and orders channels; returns [3, S, S] and which of them are used."""
    if group.startswith("codex"):
        pick = rng.permutation(3)
        count = rng.choice([3, 2, 1], p=[0.7, 0.2, 0.1])
        image = image if count == 3 and rng.random() < 0.5 else image[pick[:count]]
    elif len(image) == 3:
        draw = rng.random()
        if draw < 0.12:
            image = image.mean(0, keepdims=True)
        elif draw < 0.5:
            image = image[rng.permutation(3)]
        elif draw < 0.55:
            image = image[rng.permutation(3)[:2]]
    out, used = np.zeros((3, *image.shape[1:]), np.float32), list(range(len(image)))
    if len(image) == 1 and rng.random() < 0.05:
        used, image = [0, 1, 2], np.repeat(image, 3, 0)
    elif len(image) < 3 and rng.random() < 0.15:
        used = sorted(rng.permutation(3)[:len(image)].tolist())
    out[used] = image
    return out, used


def degrade(plane, rng, photons, blur, noise, shrink):
    if blur:
        plane = cv2.GaussianBlur(plane, (0, 0), blur)
    if shrink > 1:
        small = cv2.resize(plane, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        plane = cv2.resize(small, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if photons:
        low = plane.min()
        plane = rng.poisson(np.clip(plane - low, 0, 20) * photons).astype(np.float32) / photons + low
    if noise:
        plane = plane + noise * rng.standard_normal(plane.shape).astype(np.float32)
    return plane


def intensity(image, used, valid, rng):
    blur = photons = noise = shrink = 0
    degraded = rng.random() < 0.4
    if degraded:
        if rng.random() < 0.5:
            blur = rng.uniform(0.5, 2.5)
        if rng.random() < 0.4:
            photons = np.exp(rng.uniform(np.log(10), np.log(300)))
        if rng.random() < 0.4:
            noise = rng.uniform(0.02, 0.2)
        if rng.random() < 0.15:
            shrink = rng.uniform(1.3, 2.5)
    invert, gamma = rng.random() < 0.22, np.exp(rng.normal(0, 0.3)) if rng.random() < 0.35 else 1
    light = 1 + rng.uniform(0.1, 0.3) * np.clip(smooth_noise(rng, (14, 14), 5), -2, 2) if rng.random() < 0.15 else None
    renormalise = degraded or light is not None or rng.random() < 0.3
    for c in used:
        plane = image[c]
        if gamma != 1:
            plane = np.where(plane > 0, np.maximum(plane, 1e-6) ** gamma, plane)
        if light is not None:
            plane = plane * cv2.resize(light.astype(np.float32), plane.shape[::-1], interpolation=cv2.INTER_CUBIC)
        if degraded:
            plane = degrade(plane, rng, photons, blur, noise, shrink)
        if renormalise:
            plane = percentile_normalise(plane, valid)
        if invert:
            plane = 1 - plane
        if rng.random() < 0.5:
            plane = plane * np.exp(rng.normal(0, 0.15)) + rng.normal(0, 0.07)
        image[c] = plane * valid
    return image


def blank(entry, rng, size):
    """An image without cells: constant, noise, texture, or a real one far out of focus, normalised as any image."""
    kind = rng.integers(4)
    if kind == 0:
        plane = np.full((size, size), rng.normal(0, 0.3), np.float32)
    elif kind == 1:
        plane = percentile_normalise(cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), rng.uniform(0.01, 1.2)))
    elif kind == 2:
        plane = sum(rng.uniform(0, 1) * smooth_noise(rng, (size, size), s) for s in (25, 60)) + rng.uniform(0, 1) * rng.standard_normal((size, size))
        plane = percentile_normalise(plane.astype(np.float32))
    else:
        image, _, _, _, scale = warp(entry, rng, size, 0.5)
        sigma = max(10.0, 0.8 * entry["diameter"] * scale)
        plane = cv2.GaussianBlur(image[0], (0, 0), sigma) + rng.uniform(0, 0.05) * rng.standard_normal((size, size)).astype(np.float32)
        plane = percentile_normalise(plane.astype(np.float32))
    out = np.zeros((3, size, size), np.float32)
    out[0 if rng.random() < 0.8 else slice(None)] = plane
    return out, np.zeros((3, size, size), np.float32)


def crop(entry, rng, size=224, blank_share=0.04, standard=0.0):
    """-> image float32 [3, S, S], target float32 [3, S, S] = 5 dY, 5 dX, mask."""
    if rng.random() < blank_share:
        return blank(entry, rng, size)
    image, mask, flow, valid, _ = warp(entry, rng, size, 0.85, standard)
    image, used = arrange_channels(image, entry["set"], rng)
    return intensity(image, used, valid, rng), np.concatenate([5 * flow, mask[None]])
