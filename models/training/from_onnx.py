"""Continues from an exported model.onnx: reads its convolutions back into a network without batch norm.

The export folds each batch norm into its convolution and the statistics cannot be told apart again, so a stage that
starts from an exported file trains the folded network (`fold_batch_norm`). Its outputs equal those of the graph.

    python from_onnx.py --model ../default/model.onnx     # prints the largest difference on the model's test tensors
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from network import CytoS, fold_batch_norm


def module_name(node):
    """/stages.1/stages.1.0/expand/expand.0/Conv -> stages.1.0.expand.0"""
    parts = node.name.strip("/").split("/")[:-1]
    return ".".join(p for p, after in zip(parts, [*parts[1:], ""]) if not after.startswith(p + "."))


def load_onnx(path):
    """The folded network with the weights of an exported graph."""
    graph = onnx.load(path).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    tensors |= {n.output[0]: tensors[n.input[0]] for n in graph.node if n.op_type == "Cast" and n.input[0] in tensors}
    source = {module_name(n): [tensors[i] for i in n.input[1:]] for n in graph.node if n.op_type == "Conv"}
    net = fold_batch_norm(CytoS())
    targets = {name: m for name, m in net.named_modules() if isinstance(m, nn.Conv2d)}
    if source.keys() != targets.keys():
        raise SystemExit(f"{path} is another network: {sorted(source.keys() ^ targets.keys())}")
    with torch.no_grad():
        for name, conv in targets.items():
            weight, bias = (torch.from_numpy(np.array(t, np.float32)) for t in source[name])
            conv.weight.copy_(weight), conv.bias.copy_(bias)
    return net


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="../default/model.onnx")
    path = Path(p.parse_args().model)
    tile, expected = np.load(path.parent / "test_input.npy"), np.load(path.parent / "test_output.npy")
    with torch.no_grad():
        print("largest difference", np.abs(load_onnx(path).eval()(torch.from_numpy(tile)).numpy() - expected).max())
