"""Makes a miniature that finds discs, so that the labels of its flows are not left to chance.

    python fit_miniature.py ../../../test/models/cpsam/reference/discs.pth

With weights that are drawn alone, pixels wander for 200 steps through flows without sinks: what the package gives for
the same image then changes with the number of its threads. Here encoder and first neck layer are drawn, and the
last two layers are fitted to discs by least squares: the rank of a regression from 3 x 3 patches to flows is cut to the
width of the neck, and its two factors are the weights. Seconds on one core.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from cellpose import vit

import network as miniature

WIDTH = 32
TILE, IMAGES, RIDGE = 256, 24, 1e-4


def use_wider_miniature():
    """Makes the package build this network, also where CellposeModel loads a file."""
    miniature.WIDTH = miniature.NECK = WIDTH
    miniature.use_miniature()


def draw_weights(network, seed=20260401):
    """Draws all weights, so that each part of the network changes the output, and patches most."""
    torch.manual_seed(seed)
    for name, weight in network.named_parameters():
        if name in ("W2", "diam_labels", "diam_mean"):
            continue
        is_norm = weight.ndim == 1 and name.endswith("weight")
        spread = 0.2 if weight.ndim == 1 else 1 / np.sqrt(weight[0].numel())
        if "patch_embed.proj.weight" in name:
            spread *= 8
        elif "pos_embed" in name:
            spread = 0.1
        elif "rel_pos" in name:
            spread = 0.3
        weight.data.copy_(is_norm + spread * torch.randn(weight.shape))


def image_of_discs(random, height=TILE, width=TILE):
    """Bright discs that do not overlap on a dark, uneven ground, and what the network shall give for them."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    image = random.uniform(0, 0.15) + random.uniform(-0.1, 0.1) * rows / height + random.uniform(-0.1, 0.1) * columns / width
    target = np.zeros((3, height, width), np.float32)
    target[2] = -4
    discs = []
    for _ in range(random.integers(80, 300)):
        y, x = random.uniform(-5, (height + 5, width + 5))
        radius = random.uniform(6, 11)
        if any(np.hypot(y - b, x - a) < radius + r + 2 for b, a, r in discs):
            continue
        discs.append((y, x, radius))
        box = tuple(slice(max(0, int(at - radius) - 1), int(at + radius) + 2) for at in (y, x))
        dy, dx = y - rows[box], x - columns[box]
        away = np.hypot(dy, dx)
        image[box] += random.uniform(0.6, 1.0) * np.clip(radius - away + 0.5, 0, 1)
        inside = away <= radius
        target[(slice(None), *box)] += inside * np.stack([5 * dy / np.maximum(away, 1), 5 * dx / np.maximum(away, 1), 8 * inside])
    image += random.uniform(0.01, 0.06) * random.standard_normal(image.shape, np.float32)
    low, high = np.percentile(image[::4, ::4], [1, 99])
    return (image - low) / (high - low), target


def patches_around(maps):
    """[channels, y, x] -> [y * x, channels * 9], as a 3 x 3 convolution sees them."""
    return torch.nn.functional.unfold(maps[None], 3, padding=1)[0].T.double().numpy()


def solve(images):
    """Least squares with a little ridge. Accumulates over images: memory stays small."""
    a = b = 0
    for inputs, outputs in images:
        a, b = a + inputs.T @ inputs, b + inputs.T @ outputs
    return np.linalg.solve(a + RIDGE * np.trace(a) / len(a) * np.eye(len(a)), b)


def main(path):
    torch.set_num_threads(1)
    use_wider_miniature()
    network = vit.CPSAM(dtype=torch.float32).eval()
    draw_weights(network)
    squeeze, norm, gather, last_norm = network.encoder.neck
    seen = {}
    norm.register_forward_hook(lambda _m, _i, out: seen.update(first=out[0]))
    last_norm.register_forward_hook(lambda _m, _i, out: seen.update(last=out[0]))
    random = np.random.default_rng(20260403)
    pairs = [image_of_discs(random) for _ in range(IMAGES)]

    def look(image):
        tile = torch.zeros(1, 3, TILE, TILE)
        tile[0, 0] = torch.from_numpy(image)
        with torch.no_grad():
            network(tile)
        return seen

    def tokens(target):
        side = TILE // 8
        return target.reshape(3, side, 8, side, 8).transpose(1, 3, 0, 2, 4).reshape(side * side, -1).astype(float)

    firsts = [(patches_around(look(image)["first"]), tokens(target)) for image, target in pairs]
    slopes = solve(firsts)
    # The directions of the outputs that matter most, as the data weighs them.
    fitted = [inputs @ slopes for inputs, _ in firsts]
    _, directions = np.linalg.eigh(sum(f.T @ f for f in fitted))
    kept = directions[:, -WIDTH:]
    gather.weight.data.copy_(torch.from_numpy((slopes @ kept).T.reshape(gather.weight.shape)))
    lasts = []
    for image, target in pairs:
        inputs = look(image)["last"].flatten(1).T.double().numpy()
        lasts.append((np.c_[inputs, np.ones(len(inputs))], tokens(target)))
    final = solve(lasts)
    network.out.weight.data.copy_(torch.from_numpy(final[:-1].T.reshape(network.out.weight.shape)))
    network.out.bias.data.copy_(torch.from_numpy(final[-1]))
    left = sum(((inputs @ final - outputs)[:, :128] ** 2).sum() for inputs, outputs in lasts)
    print(f"flows explained: {1 - left / sum((outputs[:, :128] ** 2).sum() for _, outputs in lasts):.2f}")
    torch.save({name: weight.clone() for name, weight in network.state_dict().items()}, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
