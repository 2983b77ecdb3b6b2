"""Calls pocket's network strip by strip, so that a large painting takes little memory.

Owns the order of the calls, none of the numbers: each layer gives what it gives in one piece, but
what lies between two layers is never there for the whole picture in full precision. A layer's
spread is taken over all of it before its first strip is made; so there are no seams. What waits
between layers is kept in half precision, as the weights are on disk. A strip is one core's work:
cores that share each of many small sums wait for each other, above all on a machine that is busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

# The network sees half the resolution with four times the channels: a quarter of the arithmetic.
FOLD: Final = 2
KEPT: Final = torch.float16
# So many pixels of a layer are a strip: a megabyte or two, which a core's cache can hold.
AT_ONCE: Final = 4096
# More threads than this would need memory for their strips that nobody has counted.
MOST: Final = 8


@dataclass(frozen=True)
class Spread:
    """Of each channel, over a whole layer."""

    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Plane:
    """What a layer reads: some rows at a time, in full precision."""

    shape: tuple[int, int]
    rows: Callable[[int, int], Tensor]

    def strips(self) -> Iterator[tuple[int, int]]:
        high, wide = self.shape
        step = max(2, AT_ONCE // wide)
        return ((top, min(top + step, high)) for top in range(0, high, step))


@dataclass(frozen=True)
class Kept(Plane):
    """What a layer made, all of it."""

    spread: Spread

    def beside(self, other: Kept) -> Kept:
        def rows(top: int, bottom: int) -> Tensor:
            return torch.cat([self.rows(top, bottom), other.rows(top, bottom)], dim=1)

        ours, theirs = self.spread, other.spread
        mean = torch.cat([ours.mean, theirs.mean])
        return Kept(self.shape, rows, Spread(mean, torch.cat([ours.variance, theirs.variance])))


def folded(pictures: Sequence[Tensor]) -> Plane:
    """Pictures side by side, at half their resolution with four times their channels."""

    def rows(top: int, bottom: int) -> Tensor:
        seen = [picture[:, :, FOLD * top : FOLD * bottom] for picture in pictures]
        return functional.pixel_unshuffle(torch.cat(seen, dim=1), FOLD)

    return Plane((pictures[0].shape[2] // FOLD, pictures[0].shape[3] // FOLD), rows)


def doubled(plane: Plane) -> Plane:
    """Each pixel four times."""

    def rows(top: int, bottom: int) -> Tensor:
        first = top // 2
        seen = functional.interpolate(plane.rows(first, (bottom + 1) // 2), scale_factor=2.0)
        return seen[:, :, top - 2 * first : bottom - 2 * first]

    return Plane((2 * plane.shape[0], 2 * plane.shape[1]), rows)


def normed(plane: Kept, norm: Any, scale: Tensor | None = None, shift: Any = 0.0) -> Plane:
    """Brought to one spread over the whole of it, scaled and shifted, then let through."""
    # Groups may reach over what lies side by side, so they are made of channels and not of planes.
    means = plane.spread.mean.view(norm.num_groups, -1)
    mean = means.mean(1, keepdim=True)
    around = plane.spread.variance.view(norm.num_groups, -1) + (means - mean).square()
    factor = torch.rsqrt(around.mean(1, keepdim=True) + norm.eps).expand_as(means).reshape(-1)
    factor = norm.weight * factor
    more = norm.bias - mean.expand_as(means).reshape(-1) * factor
    if scale is not None:
        factor, more = factor * (1 + scale), more * (1 + scale) + shift
    factor, more = (part.view(1, -1, 1, 1) for part in (factor, more))

    def rows(top: int, bottom: int) -> Tensor:
        return functional.silu(torch.addcmul(more, plane.rows(top, bottom), factor), inplace=True)

    return Plane(plane.shape, rows)


def convolved(plane: Plane, layer: Any) -> Plane:
    """A convolution of three by three, or of one; its border is of zeros."""
    reach, stride = layer.kernel_size[0] // 2, layer.stride[0]
    high, wide = plane.shape

    def rows(top: int, bottom: int) -> Tensor:
        first, last = top * stride - reach, (bottom - 1) * stride + reach + 1
        seen = plane.rows(max(first, 0), min(last, high))
        if first < 0 or last > high:
            seen = functional.pad(seen, (0, 0, max(-first, 0), max(last - high, 0)))
        seen = seen.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(seen, layer.weight, layer.bias, stride, padding=(0, reach))

    return Plane(((high - 1) // stride + 1, (wide - 1) // stride + 1), rows)


def hands() -> ThreadPoolExecutor:
    """Threads that each do their sums alone, as many as the library would share them among."""
    count = torch.get_num_threads()
    some = min(count, MOST)
    met = Barrier(some + 1)

    def begin() -> None:
        # Asked first: at its first question a thread takes over the number last said by any.
        torch.get_num_threads()
        torch.set_num_threads(1)
        met.wait()

    made = ThreadPoolExecutor(some, "strips", begin)
    for _ in range(some):
        made.submit(int)
    met.wait()
    # The library keeps the last number said for threads that it has not seen yet.
    torch.set_num_threads(count)
    return made


class _Walk:
    """One call of a UNet2DModel without attention, the library's or pocket_network's."""

    def __init__(
        self, unet: Any, t: Tensor, style: Tensor, pool: ThreadPoolExecutor | None
    ) -> None:
        said = unet.time_proj(t).to(unet.conv_in.weight.dtype)
        self.told = functional.silu(unet.time_embedding(said) + unet.class_embedding(style))
        self._pool = pool

    def each(self, work: Callable[[tuple[int, int]], Any], plane: Plane) -> Iterable[Any]:
        if self._pool is None:
            return map(work, plane.strips())
        return self._pool.map(torch.inference_mode()(work), plane.strips())

    def keep(self, plane: Plane, channels: int) -> Kept:
        """All of it, made strip by strip."""
        made = torch.empty((1, *plane.shape, channels), dtype=KEPT)

        def one(strip: tuple[int, int]) -> tuple[Tensor, Tensor]:
            piece = plane.rows(*strip).permute(0, 2, 3, 1)
            made[:, slice(*strip)] = piece
            flat = piece.reshape(-1, channels)
            return flat.sum(0).double(), torch.linalg.vector_norm(flat, dim=0).double().square()

        sums, squares = zip(*self.each(one, plane), strict=True)
        count = plane.shape[0] * plane.shape[1]
        mean, square = (torch.stack(part).sum(0) / count for part in (sums, squares))
        spread = Spread(mean.float(), (square - mean.square()).clamp(min=0).float())
        pictures = made.permute(0, 3, 1, 2)
        return Kept(plane.shape, lambda top, bottom: pictures[:, :, top:bottom].float(), spread)

    def conv(self, plane: Plane, layer: Any) -> Kept:
        return self.keep(convolved(plane, layer), layer.out_channels)

    def block(self, layer: Any, seen: Kept) -> Kept:
        """What the library calls a ResnetBlock2D."""
        first = self.conv(normed(seen, layer.norm1), layer.conv1)
        scale, shift = layer.time_emb_proj(self.told)[0].chunk(2)
        second = convolved(normed(first, layer.norm2, scale, shift), layer.conv2)
        short = convolved(seen, layer.conv_shortcut) if layer.conv_shortcut else seen

        def rows(top: int, bottom: int) -> Tensor:
            return second.rows(top, bottom).add_(short.rows(top, bottom))

        return self.keep(Plane(seen.shape, rows), layer.conv2.out_channels)

    def show(self, plane: Plane, channels: int) -> Tensor:
        """The picture that was folded."""
        high, wide = plane.shape
        made = torch.empty((1, channels, FOLD * high, FOLD * wide))

        def one(strip: tuple[int, int]) -> None:
            piece = functional.pixel_shuffle(plane.rows(*strip), FOLD)
            made[:, :, FOLD * strip[0] : FOLD * strip[1]] = piece

        for _ in self.each(one, plane):
            """Each is written where it belongs."""
        return made


def predict(
    unet: Any,
    pictures: Sequence[Tensor],
    t: Tensor,
    style: Tensor,
    pool: ThreadPoolExecutor | None = None,
    read: Callable[[], None] = lambda: None,
) -> Tensor:
    """The painting that the network sees from these pictures; all are in -1..1.

    `read` is called when the first layer is there, and the pictures are looked at no more.
    """
    walk = _Walk(unet, t * 1000.0, style, pool)
    now = walk.conv(folded(pictures), unet.conv_in)
    read()
    before = [now]
    for level in unet.down_blocks:
        for layer in level.resnets:
            now = walk.block(layer, now)
            before.append(now)
        for sampler in level.downsamplers or ():
            now = walk.conv(now, sampler.conv)
            before.append(now)
    for layer in unet.mid_block.resnets:
        now = walk.block(layer, now)
    for level in unet.up_blocks:
        for layer in level.resnets:
            now = walk.block(layer, now.beside(before.pop()))
        for sampler in level.upsamplers or ():
            now = walk.conv(doubled(now), sampler.conv)
    done = convolved(normed(now, unet.conv_norm_out), unet.conv_out)
    return walk.show(done, unet.conv_out.out_channels // FOLD**2)
