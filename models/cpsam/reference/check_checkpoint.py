"""Whether Cellpose takes a checkpoint that was trained here as it takes the one that was started from.

    python check_checkpoint.py ORIGINAL TRAINED [--miniature]

Loads both with PyTorch's restricted reader, compares keys and shapes, names the tensors that differ, and lets
cellpose.models.CellposeModel load the trained one and segment an image. --miniature: of a smaller network than
SAM's ViT-L, whose sizes are read off the file.
"""

import sys

import torch
from cellpose import models

import network


def main(original, trained, miniature):
    before, after = (torch.load(path, weights_only=True) for path in (original, trained))
    if miniature:
        network.WIDTH = before["encoder.pos_embed"].shape[3]
        network.DEPTH = sum(key.endswith("attn.qkv.weight") for key in before)
        network.HEADS = network.WIDTH // before["encoder.blocks.0.attn.rel_pos_h"].shape[1]
        network.NECK = before["out.weight"].shape[1]
        long = [key for key in before if key.endswith("attn.rel_pos_h") and before[key].shape[0] == 127]
        network.GLOBAL = [int(key.split(".")[2]) for key in long]
        network.use_miniature()
    assert list(before) == list(after), "the keys differ"
    for key, tensor in before.items():
        assert tensor.shape == after[key].shape and after[key].dtype == torch.float32, key
    changed = [key for key in before if not torch.equal(before[key].float(), after[key])]
    print(f"{len(after)} keys in the same order; changed: {', '.join(changed) or 'none'}")
    model = models.CellposeModel(gpu=False, pretrained_model=str(trained), use_bfloat16=False)
    for key, tensor in model.net.state_dict().items():
        assert torch.equal(tensor.float(), after[key]), f"{key} was not loaded"
    masks, _, _ = model.eval(network.noise(256 * 256).reshape(256, 256), flow_threshold=0, cellprob_threshold=0.0)
    print(f"loaded key for key; {masks.max()} cells in an image of noise")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--miniature" in sys.argv)
