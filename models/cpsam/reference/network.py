"""A miniature of Cellpose-SAM: the network class of the cellpose package itself around a small SAM encoder."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from cellpose import vit
from segment_anything.modeling import ImageEncoderViT

WIDTH, DEPTH, HEADS, NECK = 16, 3, 2, 16
# Blocks with positions for all of SAM's image, as in SAM.
GLOBAL = [DEPTH - 1]


def small_encoder(_checkpoint=None):
    """What the package takes for SAM's ViT-L: the same class with other sides, one block global as in SAM."""
    encoder = ImageEncoderViT(
        depth=DEPTH, embed_dim=WIDTH, img_size=1024, mlp_ratio=4,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), num_heads=HEADS, patch_size=16,
        qkv_bias=True, use_rel_pos=True, global_attn_indexes=GLOBAL, window_size=14, out_chans=NECK)
    return SimpleNamespace(image_encoder=encoder)


def use_miniature():
    """Makes the package build miniatures, also where CellposeModel loads a file."""
    vit.sam_model_registry = {"vit_l": small_encoder}


def random_network(seed=20260401):
    """All weights drawn anew, so that each part of the network changes the output; kept as strided views, as released."""
    use_miniature()
    torch.manual_seed(seed)
    network = vit.CPSAM(dtype=torch.float32)
    for name, weight in network.named_parameters():
        if name in ("W2", "diam_labels", "diam_mean"):
            continue
        gain = 1.0 if name.endswith("norm1.weight") or name.endswith("norm2.weight") or ".neck.1.w" in name or ".neck.3.w" in name else 0.0
        spread = 0.2 if weight.ndim == 1 else 0.5 if "pos" in name else 1.5 / np.sqrt(weight[0].numel())
        weight.data.copy_(gain + spread * torch.randn(weight.shape))
    network.out.weight.data.mul_(3)
    return network.eval()


def noise(count):
    """Lehmer's generator: whole numbers only, so that other languages draw the same."""
    values, seed = np.empty(count), 20250401
    for i in range(count):
        seed = seed * 48271 % 2147483647
        values[i] = seed / 2147483647
    return values.astype(np.float32)
