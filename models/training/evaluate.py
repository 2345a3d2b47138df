"""AP on the validation splits with the training-time dynamics: python evaluate.py --weights FILE [--quick] [--table]

FILE is a checkpoint (.pt, its averaged weights are used) or an exported .onnx. Whole images go through the network at
once (zero-padded to a multiple of 32 with a margin of 16), no diameter, flow threshold 0.4, cell probability threshold 0,
at least 15 pixels; images whose cells look smaller than 24 or larger than 60 pixels are scaled and run again, as the
product does with single planes. Figures may differ by a point or two from the product's tiled pipeline.
"""
import argparse
import json
import time

import cv2
import numpy as np

import image_sets
from dynamics import average_precision, masks_from_output


def runner(path, threads):
    if str(path).endswith(".onnx"):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]
    import torch
    from network import from_checkpoint
    torch.set_num_threads(threads)
    net, _ = from_checkpoint(path)

    def run(x):
        with torch.no_grad():
            return net(torch.from_numpy(x)).numpy()
    return run


def predict(run, image):
    """image float32 [C, H, W] normalised -> network output [3, H, W]."""
    c, h, w = image.shape
    bottom, right = (-(h + 32)) % 32 + 16, (-(w + 32)) % 32 + 16
    x = np.zeros((1, 3, h + 16 + bottom, w + 16 + right), np.float32)
    x[0, :c, 16:16 + h, 16:16 + w] = image[:3]
    return run(x)[0][:, 16:16 + h, 16:16 + w]


def segment(run, image, cellprob=0.0, flow=0.4, rescale=True):
    """image float32 [C, H, W] normalised -> labels; the rules of the product's cell-size.ts."""
    labels = masks_from_output(predict(run, image), cellprob, flow)
    sizes = np.sort(np.bincount(labels.ravel())[1:])
    diameter = 2 * np.sqrt(sizes[len(sizes) // 2] / np.pi) if len(sizes) >= 5 else 30.0
    if not rescale or 24 <= diameter <= 60:
        return labels
    diameter, (h, w) = max(diameter, 15.0), image.shape[1:]
    size = (max(1, int(w * 30 / diameter)), max(1, int(h * 30 / diameter)))
    output = predict(run, np.stack([cv2.resize(c, size, interpolation=cv2.INTER_LINEAR) for c in image]))
    output = np.stack([cv2.resize(c, (w, h), interpolation=cv2.INTER_LINEAR) for c in output])
    return masks_from_output(output, cellprob, flow, iterations=int(200 * diameter / 30))


def empty_images(items):
    """(name, normalised image [1, H, W]) without a cell in focus: constant, noise, uneven light, real ones far out of focus."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[0:512, 0:512] / 512.0
    yield "constant", np.full((1, 512, 512), 7.0)
    yield "noise", rng.normal(100, 5, (1, 512, 512))
    yield "photon noise", rng.poisson(4, (1, 512, 512)).astype(float)
    yield "uneven light", (1000 * (1 + x * y) + rng.normal(0, 10, x.shape))[None]
    for name in ("dsb_fluo_small", "bbbc039", "usiigaci", "dsb_purple_on_white"):
        entry = next(e for e in items if e["set"] == name)
        sizes = np.bincount(entry["labels"].ravel())[1:]
        sigma = 2 * np.sqrt(np.median(sizes) * 4 / np.pi)
        yield f"{name}, blurred by two cells", np.stack([cv2.GaussianBlur(c.astype(np.float32), (0, 0), sigma) for c in entry["image"]]) + rng.normal(0, 0.02, entry["image"].shape)


def resized(entry, factor):
    h, w = entry["labels"].shape
    size = (max(32, round(w * factor)), max(32, round(h * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image = np.stack([cv2.resize(c.astype(np.float32), size, interpolation=how) for c in entry["image"]])
    return image_sets.normalise(image), cv2.resize(entry["labels"].astype(np.int32), size, interpolation=cv2.INTER_NEAREST)


def changes():
    """Named perturbations of the robustness table: entry -> (image, labels)."""
    def each(change):
        return lambda e: (image_sets.normalise(np.stack([change(c.astype(np.float32)) for c in e["image"]])), e["labels"])

    rng = np.random.default_rng(1)
    return {
        "as it is": lambda e: (e["image"].astype(np.float32), e["labels"]),
        "half size": lambda e: resized(e, 0.5),
        "double size": lambda e: resized(e, 2.0),
        "inverted": lambda e: (1 - e["image"].astype(np.float32), e["labels"]),
        "rotated 90": lambda e: (np.ascontiguousarray(np.rot90(e["image"].astype(np.float32), axes=(1, 2))), np.ascontiguousarray(np.rot90(e["labels"]))),
        "channels reversed": lambda e: (np.concatenate([np.zeros((3 - len(e["image"]), *e["labels"].shape)), e["image"][::-1]]).astype(np.float32), e["labels"]),
        "30 photons": each(lambda p: rng.poisson(np.clip(p - p.min(), 0, 20) * 30).astype(np.float32)),
        "blur 2 px": each(lambda p: cv2.GaussianBlur(p, (0, 0), 2)),
    }


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="../../../shared/data")
    p.add_argument("--cache", default="/tmp/train-cache")
    p.add_argument("--weights", required=True)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--own-scale", action="store_true", help="never scale an image")
    p.add_argument("--quick", action="store_true", help="every third image of the large groups")
    p.add_argument("--table", action="store_true", help="robustness table on a subset")
    p.add_argument("--json", help="also write the results to this file")
    p.add_argument("--cellprob", type=float, default=0.0)
    p.add_argument("--flow", type=float, default=0.4)
    a = p.parse_args()
    run, began, results = runner(a.weights, a.threads), time.time(), {}
    items = [e for e in image_sets.load(a.data, a.cache, "val") if e["labels"].max() > 0]
    groups = {}
    for e in items:
        groups.setdefault(e["set"], []).append(e)
    for name, members in groups.items():
        step = 8 if name.startswith("bbbc050") else 3 if a.quick and len(members) > 6 else 2 if a.quick and name == "usiigaci" else 1
        groups[name] = members[::step]
    tests = changes()
    tests = tests if a.table else {"as it is": tests["as it is"]}
    for test, change in tests.items():
        scores = {}
        for name, members in groups.items():
            members = members[::3] if a.table and len(members) > 6 else members
            scores[name] = [average_precision(labels, segment(run, image, a.cellprob, a.flow, not a.own_scale)) for image, labels in map(change, members)]
        families = {"dsb all": "dsb_", "dsb fluorescence": "dsb_fluo", "codex": "codex", "ecoli": "ecoli", "bbbc050 planes": "bbbc050"}
        for family, prefix in families.items():
            scores[family] = [s for n, v in scores.items() if n.startswith(prefix) for s in v]
        results[test] = {n: [round(float(x), 4) for x in np.mean(v, 0)] for n, v in scores.items() if v}
        print(f"== {test}")
        for n, v in results[test].items():
            print(f"{n:22s} n {len(scores[n]):3d}  AP 0.5 {v[0]:.3f}  0.75 {v[1]:.3f}  0.9 {v[2]:.3f}", flush=True)
    if a.table:
        for name, image in empty_images(items):
            print(f"cells found in {name}: {segment(run, image_sets.normalise(image.astype(np.float32))).max()}", flush=True)
    print(f"{time.time() - began:.0f} s")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
