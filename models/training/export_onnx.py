"""Checkpoint -> model folder: python export_onnx.py --weights RUN/last.pt --out ../default --id cyto-s1

Writes model.onnx (opset 16, fp32, batch norm folded), model-fp16.onnx (the same graph, weights stored as fp16 and widened
at load; inputs, outputs and arithmetic stay fp32), test_*.npy (a 256 tile), quick_*.npy (a 64 tile) and rdf.yaml.
"""
import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import image_sets
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
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--cache", default="/tmp/train-cache")
    a = p.parse_args()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    net, state = from_checkpoint(a.weights)
    path = out / "model.onnx"
    torch.onnx.export(net, (torch.zeros(1, 3, 64, 64),), str(path), opset_version=16, input_names=["image"], output_names=["flows"],
                      dynamic_axes={n: {0: "batch", 2: "height", 3: "width"} for n in ("image", "flows")}, dynamo=False)
    model = tidy(onnx.load(path))
    model.doc_string, model.producer_name = "Cytopane default model: dY, dX (5 x unit flow), cell probability logit", "cytopane"
    onnx.checker.check_model(model)
    onnx.save(model, path)
    used = {n.op_type for n in model.graph.node}
    print("operators", sorted(used))
    if used - ALLOWED:
        raise SystemExit(f"operators outside the allowed set: {used - ALLOWED}")
    onnx.save(half_weights(model), out / "model-fp16.onnx")

    entries = {e["name"]: e for e in image_sets.load(a.data, a.cache, "val")}
    big = next(e for e in entries.values() if e["set"] == "bbbc039")["image"].astype(np.float32)
    codex = entries["codex1"]["image"].astype(np.float32)
    tiles = {"test": np.zeros((1, 3, 256, 256), np.float32), "quick": codex[None, :, 100:164, 100:164].copy()}
    tiles["test"][0, :1] = big[:, :256, :256]
    for prefix, tile in tiles.items():
        with torch.no_grad():
            expected = net(torch.from_numpy(tile)).numpy()
        np.save(out / f"{prefix}_input.npy", tile)
        np.save(out / f"{prefix}_output.npy", expected)
        for name in ("model.onnx", "model-fp16.onnx"):
            got = onnxruntime.InferenceSession(str(out / name), providers=["CPUExecutionProvider"]).run(None, {"image": tile})[0]
            print(name, tile.shape[-1], "max difference to PyTorch", np.abs(got - expected).max())
    print(f"step {state['step']} seconds {state['seconds']:.0f} MACs {count_macs(net)} parameters {sum(q.numel() for q in net.parameters())}")
    files = {n: (out / n).read_bytes() for n in ("model.onnx", "model-fp16.onnx")}
    hashes = {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}
    template = (Path(__file__).parent / "rdf_template.yaml").read_text()
    (out / "rdf.yaml").write_text(template.format(id=a.id, sha256=hashes["model.onnx"], size=len(files["model.onnx"]),
                                                  half_sha256=hashes["model-fp16.onnx"], half_size=len(files["model-fp16.onnx"])))
    print({n: (len(d), hashes[n]) for n, d in files.items()})


if __name__ == "__main__":
    main()
