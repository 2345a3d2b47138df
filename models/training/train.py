"""Trains the default model. Resumes from OUT/last.pt when it is there; the same command continues an interrupted run.

    nice -n 19 python train.py --data ../../../shared/data --out /tmp/run-s1 --steps 5000

Every sample's random state comes from (seed, sample index), so a resumed run sees the same crops as an unbroken one.
"""
import argparse
import copy
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import augmentation
import image_sets
import synthetic
from from_onnx import load_onnx
from network import CytoS, count_macs, fold_batch_norm

# Share of the crops by set; within a set every image is equally likely.
SHARES = {"dsb_fluo_small": 0.17, "dsb_fluo_large": 0.10, "dsb_purple_on_purple": 0.08, "dsb_purple_on_white": 0.06,
          "dsb_gray_brightfield": 0.03, "dsb_pink_he": 0.02, "bbbc039": 0.10, "usiigaci": 0.13, "codex1": 0.05, "codex2": 0.04,
          "ecoli_brightfield": 0.035, "ecoli_fluorescence": 0.03, "bbbc050_z": 0.03, "bbbc050_y": 0.015, "bbbc050_x": 0.015,
          "gonuclear_z": 0.006, "gonuclear_y": 0.006, "gonuclear_x": 0.006, "plantseg_z": 0.01, "plantseg_y": 0.006,
          "plantseg_x": 0.006, "stardist": 0.008, "stardist3d_z": 0.004, "stardist3d_y": 0.003, "stardist3d_x": 0.003, "synthetic": 0.08}

# The two experts of the CODEX tile agree with one another at AP@0.5 = 0.22 only. Learning both averages their flows into
# vectors too short to pass the flow check, so from this sample on the second, more selective one counts alone.
CODEX_CHANGE = 900 * 16
LATER_SHARES = {**SHARES, "codex1": 0.0, "codex2": 0.09}

# Shares of a stage that continues from an exported file: the sets that were weakest by then come more often.
CONTINUED_SHARES = {**SHARES, "dsb_fluo_small": 0.17, "dsb_fluo_large": 0.08, "dsb_purple_on_purple": 0.06, "dsb_purple_on_white": 0.05,
                    "bbbc039": 0.05, "usiigaci": 0.18, "codex1": 0.0, "codex2": 0.06, "ecoli_brightfield": 0.03, "ecoli_fluorescence": 0.04,
                    "bbbc050_z": 0.09, "bbbc050_y": 0.06, "bbbc050_x": 0.06, "stardist3d_z": 0.008, "stardist3d_y": 0.006,
                    "stardist3d_x": 0.006, "synthetic": 0.05}


class Crops(torch.utils.data.Dataset):
    def __init__(self, items, seed, count, start, size, continued):
        self.seed, self.count, self.start, self.size, self.continued = seed, count, start, size, continued
        for e in items:
            sizes = np.bincount(e["labels"].ravel())[1:]
            e["diameter"] = float(np.median(np.sqrt(sizes * 4 / np.pi))) if len(sizes) else 0.0
            e["pixels"] = np.flatnonzero(e["labels"])[:: max(1, int((e["labels"] > 0).sum() // 2000))].astype(np.int32)
        self.groups = {g: [e for e in items if e["set"] == g] for g in SHARES}
        self.groups = {g: v for g, v in self.groups.items() if v}
        tables = (CONTINUED_SHARES, CONTINUED_SHARES) if continued else (SHARES, LATER_SHARES)
        self.shares = [np.array([table[g] for g in self.groups]) for table in tables]

    def __len__(self):
        return self.count - self.start

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, self.start + index))
        shares = self.shares[self.start + index >= CODEX_CHANGE]
        group = self.groups[list(self.groups)[rng.choice(len(shares), p=shares / shares.sum())]]
        image, target = augmentation.crop(group[rng.integers(len(group))], rng, self.size, standard=0.5 if self.continued else 0.0)
        return torch.from_numpy(np.clip(image, -20, 40).astype(np.float32)), torch.from_numpy(target.astype(np.float32))


def synthetic_items(cache, seed, count):
    path = Path(cache) / f"synthetic-{seed}-{count}.npy"
    if not path.exists():
        items = []
        for i in range(count):
            rng = np.random.default_rng((seed, 7, i))
            items.append(image_sets.item(f"synthetic{i}", "synthetic", *synthetic.generate(rng)))
        np.save(path, np.array(items, dtype=object), allow_pickle=True)
    return list(np.load(path, allow_pickle=True))


def loss_of(output, target):
    flow = 0.5 * nn.functional.mse_loss(output[:, :2], target[:, :2])
    return flow, nn.functional.binary_cross_entropy_with_logits(output[:, 2], target[:, 2])


def save(path, state):
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--cache", default="/tmp/train-cache")
    p.add_argument("--steps", type=int, default=5000)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--final-rate", type=float, default=1e-5)
    p.add_argument("--seed", type=int, default=4)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--synthetic", type=int, default=240)
    p.add_argument("--init", help="checkpoint or exported .onnx whose weights start a further stage")
    p.add_argument("--cooldown", type=int, default=0, help="constant rate, then linearly to zero in this many steps; 0: cosine")
    p.add_argument("--freeze", type=int, default=-1, help="train neither the stem nor the stages up to this one")
    p.add_argument("--leave-out", nargs="*", default=[], help="sets that are not shown at all, by the start of their name: usiigaci")
    p.add_argument("--half-life", type=float, default=350, help="of the weight average, in steps")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    log = open(out / "log.txt", "a", buffering=1)

    def say(text):
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)
        log.write(line + "\n")

    items = image_sets.load(a.data, a.cache, "train") + synthetic_items(a.cache, a.seed, a.synthetic)
    if a.leave_out:
        items = [e for e in items if not e["set"].startswith(tuple(a.leave_out))]
    folded = bool(a.init) and a.init.endswith(".onnx")
    net = load_onnx(a.init) if folded else CytoS().load_imagenet()
    if a.init and not folded:
        net.load_state_dict(torch.load(a.init, map_location="cpu", weights_only=False)["average"])
    for name, parameter in net.named_parameters():
        if name.startswith(tuple(f"stages.{k}." for k in range(a.freeze + 1))) or (a.freeze >= 0 and name.startswith("stem")):
            parameter.requires_grad_(False)
    say(f"{json.dumps(vars(a))} images {len(items)} parameters {sum(q.numel() for q in net.parameters())} MACs/256 tile {count_macs(net.eval())}")
    half = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    layout = torch.channels_last if half else torch.contiguous_format  # what is faster with and without bfloat16
    net.train().to(memory_format=layout)
    average = copy.deepcopy(net)
    encoder = [q for n, q in net.named_parameters() if n.startswith(("stem", "stages")) and q.requires_grad]
    decoder = [q for n, q in net.named_parameters() if not n.startswith(("stem", "stages")) and q.requires_grad]
    optimiser = torch.optim.AdamW([{"params": encoder, "share": 0.5}, {"params": decoder, "share": 1.0}], a.rate, weight_decay=0.02)
    step, spent = 0, 0.0
    if (out / "last.pt").exists():
        state = torch.load(out / "last.pt", map_location="cpu", weights_only=False)
        net.load_state_dict(state["net"]), average.load_state_dict(state["average"]), optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["seconds"]
        say(f"resumed at step {step}")
    data = Crops(items, a.seed, a.steps * a.batch, step * a.batch, a.size, continued=bool(a.init))
    loader = torch.utils.data.DataLoader(data, a.batch, num_workers=1, prefetch_factor=4, worker_init_fn=lambda _: torch.set_num_threads(1))
    began, sums, window = time.time(), np.zeros(2), time.time()

    def checkpoint():
        save(out / "last.pt", dict(net=net.state_dict(), average=average.state_dict(), optimiser=optimiser.state_dict(),
                                   folded=folded, step=step, seconds=spent + time.time() - began, args=vars(a)))

    for image, target in loader:
        warm = min(1.0, (step + 1) / (20 if a.init else 150))
        fall = min(1.0, (a.steps - step) / a.cooldown) if a.cooldown else 0.5 * (1 + math.cos(math.pi * step / a.steps))
        rate = warm * (a.final_rate + (a.rate - a.final_rate) * fall)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            output = net(image.contiguous(memory_format=layout))
        flow, probability = loss_of(output.float(), target)
        optimiser.zero_grad(set_to_none=True)
        (flow + probability).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        decay = min(0.5 ** (1 / a.half_life), (1 + step) / (20 + step))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), net.state_dict().values()):
                mine.lerp_(theirs, 1 - decay) if mine.dtype.is_floating_point else mine.copy_(theirs)
        sums += (flow.item(), probability.item())
        if step % 25 == 0:
            say(f"step {step} flow {sums[0] / 25:.4f} probability {sums[1] / 25:.4f} rate {rate:.2e} {25 * a.batch / (time.time() - window):.1f} crops/s")
            sums[:], window = 0, time.time()
        if step % 50 == 0:
            checkpoint()
    checkpoint()
    say(f"finished {step} steps, {spent + time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
