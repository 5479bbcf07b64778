"""The rasteriser's mathematics written plainly in PyTorch, with autograd: what the kernels are measured beside.

    /usr/bin/python3 plain.py FOLDER REPEATS

FOLDER holds scene.json and little-endian float32 files (written by rasterizer.ts). Prints one line of JSON: median
milliseconds by the clock and of processor time over two threads, of forward and backward and of a whole training step
(L1 + 0.2 (1 - SSIM), Adam on every attribute). Writes image.f32 and the gradients *.gradient.f32 of the first forward and backward for comparison.
"""

import json
import sys
import time
from pathlib import Path

import numpy
import torch

ALPHA_MIN, ALPHA_MAX, TRANSMITTANCE_MIN, DILATION, TILE = 1 / 255, 0.99, 1e-4, 0.3, 16
THREADS = 2
ATTRIBUTES = ("meanOpacity", "rotation", "scale", "rgb")


def rotation_matrix(q):
    w, x, y, z = q.unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def project(gaussians, camera):
    """Camera at the origin; every Gaussian of the scene is in view, so the Jacobian needs no clamp."""
    mean, opacity = gaussians["meanOpacity"][:, :3], gaussians["meanOpacity"][:, 3]
    x, y, z = mean.unbind(-1)
    zero = torch.zeros_like(z)
    jacobian = torch.stack(
        [
            torch.stack([camera["focalX"] / z, zero, -camera["focalX"] * x / z**2], -1),
            torch.stack([zero, camera["focalY"] / z, -camera["focalY"] * y / z**2], -1),
        ],
        -2,
    )
    spread = jacobian @ rotation_matrix(gaussians["rotation"]) * gaussians["scale"][:, None, :3]
    covariance = spread @ spread.transpose(-1, -2) + DILATION * torch.eye(2)
    xx, xy, yy = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    determinant = xx * yy - xy * xy
    conic = torch.stack([yy, -xy, xx], -1) / determinant[:, None]
    mean2d = torch.stack(
        [camera["focalX"] * x / z + camera["principalX"], camera["focalY"] * y / z + camera["principalY"]], -1
    )
    reach = (2 * torch.log(opacity / ALPHA_MIN)).clamp(min=0)
    half_size = torch.sqrt(reach[:, None] * torch.stack([xx, yy], -1)).detach()
    return mean2d, conic, opacity, z.detach(), half_size


def tile_lists(mean2d, depth, half_size, tiles_across, tiles_down):
    """Gaussians of each tile, front to back: (Gaussian indices, tile starts, tile lengths)."""
    limit = torch.tensor([tiles_across, tiles_down])
    low = torch.minimum(((mean2d - half_size) / TILE).floor().long().clamp(min=0), limit)
    high = torch.minimum(((mean2d + half_size) / TILE).floor().long() + 1, limit).clamp(min=0)
    size = (high - low).clamp(min=0)
    counts = size[:, 0] * size[:, 1]
    order = torch.sort(depth, stable=True).indices
    gaussian = torch.repeat_interleave(order, counts[order])
    first = torch.repeat_interleave(torch.cumsum(counts[order], 0) - counts[order], counts[order])
    place = torch.arange(len(gaussian)) - first
    tile_x = low[gaussian, 0] + place % size[gaussian, 0]
    tile_y = low[gaussian, 1] + torch.div(place, size[gaussian, 0], rounding_mode="floor")
    tile, by_tile = torch.sort(tile_y * tiles_across + tile_x, stable=True)
    lengths = torch.bincount(tile, minlength=tiles_across * tiles_down)
    return gaussian[by_tile], torch.cumsum(lengths, 0) - lengths, lengths


def rasterize(gaussians, camera, background):
    width, height = camera["width"], camera["height"]
    tiles_across, tiles_down = -(-width // TILE), -(-height // TILE)
    mean2d, conic, opacity, depth, half_size = project(gaussians, camera)
    with torch.no_grad():
        lists, starts, lengths = tile_lists(mean2d, depth, half_size, tiles_across, tiles_down)
        by_length = torch.argsort(lengths, descending=True)
    local = torch.arange(TILE * TILE)
    pieces, position = [], 0
    while position < len(by_length):
        # Tiles of like length together, so that padding to the longest wastes little.
        longest = max(1, int(lengths[by_length[position]]))
        tiles = by_length[position : position + max(1, 4096 // longest)]
        position += len(tiles)
        inside = torch.arange(longest)[None] < lengths[tiles][:, None]
        index = lists[(starts[tiles][:, None] + torch.arange(longest)[None]).clamp(max=max(0, len(lists) - 1))]
        pixel_x = (tiles % tiles_across * TILE)[:, None] + local % TILE + 0.5
        pixel_y = (torch.div(tiles, tiles_across, rounding_mode="floor") * TILE)[:, None] + local // TILE + 0.5
        dx = pixel_x[:, None] - mean2d[index, 0][..., None]
        dy = pixel_y[:, None] - mean2d[index, 1][..., None]
        c = conic[index][..., None]
        exponent = -0.5 * (c[:, :, 0] * dx * dx + c[:, :, 2] * dy * dy) - c[:, :, 1] * dx * dy
        alpha = (opacity[index][..., None] * torch.exp(exponent)).clamp(max=ALPHA_MAX)
        alpha = torch.where((alpha >= ALPHA_MIN) & inside[..., None], alpha, torch.zeros(()))
        after = torch.cumprod(1 - alpha, 1)
        before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
        weight = torch.where(before >= TRANSMITTANCE_MIN, alpha * before, torch.zeros(()))
        color = torch.einsum("tlp,tlc->tpc", weight, gaussians["rgb"][index, :3])
        left = 1 - weight.sum(1)
        pieces.append(torch.cat([color + left[..., None] * background, left[..., None]], -1))
    tiles = torch.cat(pieces)[torch.argsort(by_length)]
    image = tiles.reshape(tiles_down, tiles_across, TILE, TILE, 4).permute(0, 2, 1, 3, 4)
    return image.reshape(tiles_down * TILE, tiles_across * TILE, 4)[:height, :width]


def photometric(image, target):
    x, y = image[..., :3].permute(2, 0, 1)[:, None], target.permute(2, 0, 1)[:, None]
    taps = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    taps = taps / taps.sum()

    def blur(v):
        v = torch.nn.functional.conv2d(v, taps[None, None, None], padding=(0, 5))
        return torch.nn.functional.conv2d(v, taps[None, None, :, None], padding=(5, 0))

    mx, my = blur(x), blur(y)
    xx, yy, xy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (xx + yy + c2))
    return (x - y).abs().mean() + 0.2 * (1 - ssim.mean())


def main():
    folder, repeats = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(THREADS)
    scene = json.loads((folder / "scene.json").read_text())
    camera, background = scene["camera"], torch.tensor(scene["background"])
    size = (camera["height"], camera["width"])

    def load(name, *shape):
        return torch.from_numpy(numpy.fromfile(folder / f"{name}.f32", "<f4").copy()).reshape(*shape)

    def timed(samples, work):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        samples.append([(time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000 / THREADS])

    gaussians = {name: load(name, -1, 4).requires_grad_() for name in ATTRIBUTES}
    image_gradient, target = load("imageGradient", *size, 4), load("target", *size, 3)

    def rasterizer():
        for value in gaussians.values():
            value.grad = None
        image = rasterize(gaussians, camera, background)
        image.backward(image_gradient)
        return image.detach()

    image = rasterizer()
    image.numpy().astype("<f4").tofile(folder / "image.f32")
    for name, value in gaussians.items():
        value.grad.numpy().astype("<f4").tofile(folder / f"{name}.gradient.f32")
    adam = torch.optim.Adam(list(gaussians.values()), lr=1e-6)

    def step():
        adam.zero_grad()
        photometric(rasterize(gaussians, camera, background), target).backward()
        adam.step()

    times = {"rasterizer": [], "step": []}
    for _ in range(repeats):
        timed(times["rasterizer"], rasterizer)
        timed(times["step"], step)
    medians = {name: numpy.median(samples, axis=0) for name, samples in times.items()}
    print(json.dumps({name: {"wall": wall, "cpu": cpu} for name, (wall, cpu) in medians.items()}))


main()
