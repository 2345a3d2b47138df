"""Writes a miniature checkpoint with the names of Cellpose's DINOv3 networks, and what it gives.

    python make_dino_reference.py ../../../test/models/cpsam/reference

The encoder is DINOv3ViTModel of transformers (5.x from PyPI), because the package with Meta's own class is not on PyPI;
patch convolution, tokens and readout are those of cellpose.vit.CPDINO 4.2: stride 8, padding 4, five tokens dropped.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from transformers import DINOv3ViTConfig, DINOv3ViTModel

from network import noise

TILE, STEP, STRIDE = 384, 6, 8
WIDTH, DEPTH, HEADS, REGISTERS = 32, 2, 2, 4


def network():
    torch.manual_seed(20260402)
    config = DINOv3ViTConfig(
        patch_size=16, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=DEPTH,
        num_attention_heads=HEADS, num_register_tokens=REGISTERS, image_size=TILE, rope_theta=100.0,
        layer_norm_eps=1e-5, key_bias=False, hidden_act="gelu", attn_implementation="eager")
    encoder = DINOv3ViTModel(config).eval()
    for name, weight in encoder.named_parameters():
        gain = 1.0 if "norm" in name and name.endswith("weight") or "lambda" in name else 0.0
        spread = 0.2 if weight.ndim == 1 else 0.5 if "token" in name else 1.5 / np.sqrt(weight[0].numel())
        weight.data.copy_(gain + spread * torch.randn(weight.shape))
    convolution = encoder.embeddings.patch_embeddings
    convolution.stride, convolution.padding = (STRIDE, STRIDE), (STRIDE // 2, STRIDE // 2)
    # Positions are those of the patches there are: one for every stride.
    encoder.rope_embeddings.config.patch_size = STRIDE
    encoder.rope_embeddings.num_patches_h = encoder.rope_embeddings.num_patches_w = TILE // STRIDE
    out = torch.nn.Linear(WIDTH, 3 * STRIDE**2)
    torch.nn.init.normal_(out.weight, std=3 / np.sqrt(WIDTH))
    return encoder, out


def run(encoder, out, image):
    with torch.no_grad():
        tokens = encoder(torch.from_numpy(image)).last_hidden_state[:, 1 + REGISTERS:]
        side = TILE // STRIDE
        maps = out(tokens).reshape(1, side, side, -1).permute(0, 3, 1, 2)
        return torch.nn.functional.pixel_shuffle(maps, STRIDE).numpy()


def checkpoint(encoder, out):
    """The weights under the names of Meta's class."""
    given = encoder.state_dict()
    weights = OrderedDict(W2=torch.eye(3 * STRIDE**2).reshape(-1, 3, STRIDE, STRIDE))
    weights["encoder.cls_token"] = given["embeddings.cls_token"]
    weights["encoder.storage_tokens"] = given["embeddings.register_tokens"]
    weights["encoder.mask_token"] = given["embeddings.mask_token"][0]
    for part in ("weight", "bias"):
        weights[f"encoder.patch_embed.proj.{part}"] = given[f"embeddings.patch_embeddings.{part}"]
        weights[f"encoder.norm.{part}"] = given[f"norm.{part}"]
        weights[f"out.{part}"] = getattr(out, part).data
    quarter = WIDTH // HEADS // 4
    weights["encoder.rope_embed.periods"] = 100.0 ** (torch.arange(quarter) / quarter)
    layers = "model.layer" if "model.layer.0.norm1.weight" in given else "layer"
    for i in range(DEPTH):
        old, new = f"{layers}.{i}", f"encoder.blocks.{i}"
        weights[f"{new}.attn.qkv.weight"] = torch.cat([given[f"{old}.attention.{p}_proj.weight"] for p in "qkv"])
        # What lies where the mask is 0 must not matter.
        biases = [given[f"{old}.attention.q_proj.bias"], torch.randn(WIDTH), given[f"{old}.attention.v_proj.bias"]]
        weights[f"{new}.attn.qkv.bias"] = torch.cat(biases)
        weights[f"{new}.attn.qkv.bias_mask"] = torch.tensor([1.0, 0.0, 1.0]).repeat_interleave(WIDTH)
        weights[f"{new}.ls1.gamma"] = given[f"{old}.layer_scale1.lambda1"]
        weights[f"{new}.ls2.gamma"] = given[f"{old}.layer_scale2.lambda1"]
        for part in ("weight", "bias"):
            for a, b in (("norm1", "norm1"), ("norm2", "norm2"), ("attention.o_proj", "attn.proj"),
                         ("mlp.up_proj", "mlp.fc1"), ("mlp.down_proj", "mlp.fc2")):
                weights[f"{new}.{b}.{part}"] = given[f"{old}.{a}.{part}"]
    return weights


def main(folder):
    encoder, out = network()
    image = noise(3 * TILE * TILE).reshape(1, 3, TILE, TILE)
    np.save(folder / "dino_flows.npy", run(encoder, out, image)[:, :, ::STEP, ::STEP])
    torch.save(checkpoint(encoder, out), folder / "mini_dino.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
