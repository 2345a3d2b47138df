"""Writes miniature checkpoints and what the cellpose package computes with them, for the tests of the conversion.

    python make_reference.py ../../../test/models/cpsam/reference

needs cellpose 4.2.1.1 and segment-anything 1.0 from PyPI; single floats on the CPU throughout.
"""

import json
import sys
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from network import noise, random_network

TILE, STEP = 256, 4


def save(folder, name, network):
    state = network.state_dict()
    torch.save(state, folder / name)
    torch.save(OrderedDict((f"module.{k}", v.half().clone()) for k, v in state.items()), folder / "mini_module_fp16.pth")
    torch.save(OrderedDict((k, v.bfloat16().clone()) for k, v in state.items()), folder / "mini_bf16.pth")


def run(network, image):
    with torch.no_grad():
        return network(torch.from_numpy(image))[0].numpy()


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    network = random_network()
    save(folder, "mini.pth", network)
    image = noise(3 * TILE * TILE).reshape(1, 3, TILE, TILE)
    flows = run(network, image)
    np.save(folder / "flows.npy", flows[:, :, ::STEP, ::STEP])
    network.load_state_dict({k: v.float() for k, v in torch.load(folder / "mini_bf16.pth").items()})
    np.save(folder / "flows_bf16.npy", run(network, image)[:, :, ::STEP, ::STEP])

    facts = {
        "cellpose": version("cellpose"), "torch": version("torch"),
        "flows_rms": float(np.sqrt((flows[:, :2] ** 2).mean())), "step": STEP,
    }
    (folder / "reference.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(facts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
