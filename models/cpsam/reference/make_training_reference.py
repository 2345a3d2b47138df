"""One step of training neck and readout of the miniature in PyTorch with Cellpose's own loss, for the tests of training.

    python make_training_reference.py ../../../test/models/cpsam/reference

needs cellpose 4.2.1.1 and segment-anything 1.0 from PyPI; single floats on the CPU. Reads mini.pth, writes
training-step.json. Target and step are those of the test: unit flows of a direction that turns with y and x, cells in a
checkerboard of 16 pixels.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from cellpose.train import _loss_fn_seg

from network import noise, random_network

TILE, RATE, DECAY, LONGEST, ENTRIES = 256, 1e-3, 0.1, 0.5, 6


def entries(tensor):
    flat = tensor.detach().double().flatten()
    return [float(flat[int(i * len(flat)) // ENTRIES]) for i in range(ENTRIES)]


def main(folder):
    torch.set_num_threads(1)
    network = random_network()
    network.load_state_dict(torch.load(folder / "mini.pth"))
    image = torch.from_numpy(noise(3 * TILE * TILE).reshape(1, 3, TILE, TILE))
    y, x = np.mgrid[:TILE, :TILE]
    angle = 0.03 * y + 0.01 * x
    inside = ((y // 16 + x // 16) % 2).astype(np.float64)
    labels = np.stack([inside, np.sin(angle) * inside, np.cos(angle) * inside])[None].astype(np.float32)
    trained = {n: p for n, p in network.named_parameters() if n.startswith(("encoder.neck.", "out."))}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in trained)
    loss = _loss_fn_seg(torch.from_numpy(labels), network(image)[0], torch.device("cpu"))
    loss.backward()
    gradients = {n: {"norm": float(p.grad.double().norm()), "entries": entries(p.grad)} for n, p in trained.items()}
    optimiser = torch.optim.AdamW(trained.values(), RATE, weight_decay=DECAY)
    torch.nn.utils.clip_grad_norm_(trained.values(), LONGEST)
    optimiser.step()
    facts = dict(loss=loss.item(), rate=RATE, decay=DECAY, longest=LONGEST, gradients=gradients,
                 weights={n: entries(p) for n, p in trained.items()})
    (folder / "training-step.json").write_text(json.dumps(facts) + "\n")
    print(f"loss {loss.item():.6f}", {n: f"{g['norm']:.3e}" for n, g in gradients.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
