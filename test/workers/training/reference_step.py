"""One step of training in PyTorch with Cellpose's own loss: the values that training-step.test.ts compares with.

    PYTHONPATH=models/training python test/workers/training/reference_step.py > test/workers/training/reference-step.json

Needs cellpose 4 and the requirements of models/training. Target and step are those of the test: unit flows of a direction
that turns with y and x, cells in a checkerboard of 8 pixels.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from cellpose.train import _loss_fn_seg

from from_onnx import load_onnx

RATE, DECAY, LONGEST, ENTRIES = 1e-3, 0.1, 0.5, 6

torch.set_num_threads(1)
folder = Path(__file__).parents[3] / "models/default"
net = load_onnx(folder / "model.onnx").train()
# Of this brightness no activation of these weights lies so near a kink that rounding decides its side.
BRIGHTNESS = 0.5
image = torch.from_numpy(np.load(folder / "quick_input.npy") * np.float32(BRIGHTNESS))
y, x = np.mgrid[:64, :64]
angle = 0.3 * y + 0.1 * x
inside = ((y // 8 + x // 8) % 2).astype(np.float64)
labels = np.stack([inside, np.sin(angle) * inside, np.cos(angle) * inside])[None].astype(np.float32)

trained = {n: p for n, p in net.named_parameters() if not n.startswith("order")}
for name, parameter in net.named_parameters():
    parameter.requires_grad_(name in trained)
loss = _loss_fn_seg(torch.from_numpy(labels), net(image), torch.device("cpu"))
loss.backward()


def entries(tensor):
    flat = tensor.detach().double().flatten()
    return [float(flat[int(i * len(flat)) // ENTRIES]) for i in range(ENTRIES)]


gradients = {n: {"norm": float(p.grad.double().norm()), "entries": entries(p.grad)} for n, p in trained.items()}
optimiser = torch.optim.AdamW(trained.values(), RATE, weight_decay=DECAY)
torch.nn.utils.clip_grad_norm_(trained.values(), LONGEST)
optimiser.step()
json.dump(dict(brightness=BRIGHTNESS, loss=loss.item(), rate=RATE, decay=DECAY, longest=LONGEST, gradients=gradients,
               weights={n: entries(p) for n, p in trained.items()}), sys.stdout, indent=None)
