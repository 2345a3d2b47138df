"""Checkpoint -> model folder: python export_onnx.py --weights RUN/last.pt --out ../default --id cyto-s1

Writes model.onnx (opset 16, batch norm folded; weights stored as fp16 and widened at load, inputs, outputs and arithmetic
fp32), test_*.npy (a 256 tile), quick_*.npy (a 64 tile) with the outputs of that file's weights, and rdf.yaml.
`--full FILE` also writes the graph with fp32 weights, to compare. `--start FILE --share 0.6` takes the weighted mean of the
checkpoint and the weights its stage started from: a short stage gains on the sets it stresses and gives up a little on
others; the mean keeps most of both (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
"""
import argparse
import hashlib
from pathlib import Path
from string import Template

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import image_sets
from from_onnx import load_onnx
from network import count_macs, from_checkpoint

# Operators that onnxruntime-web runs on WebGPU and WASM alike.
ALLOWED = {"Conv", "Relu", "Clip", "Add", "Mul", "Concat", "Resize", "DepthToSpace", "Cast"}


def tidy(model):
    """Removes Identity nodes and turns Constant nodes into initializers, so that only arithmetic is left in the graph."""
    graph, same = model.graph, {}
    for node in list(graph.node):
        if node.op_type == "Constant":
            graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(node.attribute[0].t), node.output[0]))
            graph.node.remove(node)
        elif node.op_type == "Identity":
            same[node.output[0]] = node.input[0]
            graph.node.remove(node)
    for node in graph.node:
        for i, name in enumerate(node.input):
            while name in same:
                name = same[name]
            node.input[i] = name
        node.doc_string = ""
    return model


def half_weights(model):
    """Stores every large fp32 initializer as fp16 followed by a Cast, which runtimes fold away when they load the graph."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    casts = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= 64:
            name, array = tensor.name, numpy_helper.to_array(tensor)
            model.graph.initializer.remove(tensor)
            model.graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], name="widen_" + name, to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    return model


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--weights", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--id", default="cyto-s1")
    p.add_argument("--start", help="exported file the checkpoint's stage started from, to average with")
    p.add_argument("--share", type=float, default=1.0, help="weight of the checkpoint in that average")
    p.add_argument("--full", help="where to write the graph with fp32 weights as well")
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--cache", default="/tmp/train-cache")
    a = p.parse_args()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    net, state = from_checkpoint(a.weights)
    if a.start:
        for mine, first in zip(net.parameters(), load_onnx(a.start).parameters(), strict=True):
            mine.data.lerp_(first.data, 1 - a.share)
    path = out / "model.onnx"
    torch.onnx.export(net, (torch.zeros(1, 3, 64, 64),), str(path), opset_version=16, input_names=["image"], output_names=["flows"],
                      dynamic_axes={n: {0: "batch", 2: "height", 3: "width"} for n in ("image", "flows")}, dynamo=False)
    model = tidy(onnx.load(path))
    model.doc_string, model.producer_name = "Cytopane default model: dY, dX (5 x unit flow), cell probability logit", "cytopane"
    onnx.checker.check_model(model)
    used = {n.op_type for n in model.graph.node}
    print("operators", sorted(used))
    if used - ALLOWED:
        raise SystemExit(f"operators outside the allowed set: {used - ALLOWED}")
    if a.full:
        onnx.save(model, a.full)
    onnx.save(half_weights(model), path)

    entries = {e["name"]: e for e in image_sets.load(a.data, a.cache, "val")}
    big = next(e for e in entries.values() if e["set"] == "bbbc039")["image"].astype(np.float32)
    codex = entries["codex1"]["image"].astype(np.float32)
    tiles = {"test": np.zeros((1, 3, 256, 256), np.float32), "quick": codex[None, :, 100:164, 100:164].copy()}
    tiles["test"][0, :1] = big[:, :256, :256]
    stored = load_onnx(path).eval()
    run = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run
    for prefix, tile in tiles.items():
        with torch.no_grad():
            expected, unrounded = (n(torch.from_numpy(tile)).numpy() for n in (stored, net))
        np.save(out / f"{prefix}_input.npy", tile)
        np.save(out / f"{prefix}_output.npy", expected)
        got = run(None, {"image": tile})[0]
        print(f"{tile.shape[-1]} tile: difference of ONNX Runtime to PyTorch at most {np.abs(got - expected).max():.2g}, "
              f"of fp16 to fp32 weights at most {np.abs(unrounded - expected).max():.2g}, RMS {np.sqrt(np.mean((unrounded - expected) ** 2)):.2g}")
    print(f"step {state['step']} seconds {state['seconds']:.0f} MACs {count_macs(net)} parameters {sum(q.numel() for q in net.parameters())}")
    data = path.read_bytes()
    template = Template((Path(__file__).parent / "rdf_template.yaml").read_text())
    (out / "rdf.yaml").write_text(template.substitute(id=a.id, sha256=hashlib.sha256(data).hexdigest(), size=len(data)))
    print(path, len(data), "bytes")


if __name__ == "__main__":
    main()
