"""The graphs of the page that needs no server: from a picture to its look, and to pixels again.

Pixels cross between JavaScript and the runtime as bytes, in strips of rows, as a canvas gives
them; all else stays small. Every formula is that of the library: what is traced here calls it.
"""

import torch
from torch import Tensor, nn

from colorize_hub.colour.arrays import like
from colorize_hub.colour.cie import (
    GAMUT_TOLERANCE,
    RGB_OF_XYZN,
    XYZN_OF_RGB,
    cie_curve,
    inverse_cie_curve,
)
from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.resizing import cubic
from colorize_hub.colour.srgb import CODES, decoded, levels_of_light
from colorize_hub.export.graphs import Encoder
from colorize_hub.export.web_gamut import scale_in_loops
from colorize_hub.network.colornet import ColorNet, broad_shift
from colorize_hub.network.strength import strength


class Reduce(nn.Module):
    """Rows of a picture to what they add to its lightness, reduced in height."""

    def forward(self, light: Tensor, place: Tensor) -> Tensor:
        """Antialiased as by `resizing.antialiased`, of which it takes a part of the matrix.

        Args:
            light: (n, W) L* 0..100, of `Lightness`: rows of the picture.
            place: (5,) int64: the first of these rows, rows of the picture, rows of the reduced
                picture, the first of its rows that these add to, and how many.

        Returns:
            (r, W) what is added to L* 0..100 of those rows.
        """
        top, height, reduced, first, count = place
        rows = top + _count(light.shape[0])
        return _triangle(rows, height, reduced, first + _count(count)) @ light


class Resize(nn.Module):
    """Planes to another size, as `resizing.resized`."""

    def forward(self, planes: Tensor, size: Tensor) -> Tensor:
        """(1, C, H, W) float32 and (2,) int64 to (1, C, h, w)."""
        down, across = (
            _triangle(_count(planes.shape[axis]), planes.shape[axis], side, _count(side))
            for axis, side in ((2, size[0]), (3, size[1]))
        )
        return down @ (planes @ across.T)


class See(nn.Module):
    """L* at working size to the decoder's last map."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.encoder, self.network = Encoder(network), network

    def forward(self, lightness: Tensor) -> Tensor:
        """(1, 1, H, W), multiples of 32, to (1, C, H / 4, W / 4)."""
        return self.network.decode_features(self.encoder(lightness))


class Look(nn.Module):
    """What two sizes of a picture say together, see network/look.py."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, detail: Tensor, overview: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Join the last maps of both sizes; the same twice for a picture that is seen once.

        Args:
            detail: (1, C, h, w), of `See`.
            overview: (1, C, h', w'), of the same picture seen small.

        Returns:
            (1, C, h, w) joined maps, (1, Q, h, w) logits over the ab palette, and (1, 1, 1, 1) how
            strong the colours may be, 0..1.
        """
        maps = detail + broad_shift(detail, overview)
        return maps, self.network.logits(maps), strength(maps, self.network.config.strength)


class Paint(nn.Module):
    """Rows of a picture in the colours of a small ab: compose.recolor_pixels."""

    levels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.lightness, self.largest_scale = Lightness(), scale_in_loops()
        self.register_buffer("levels", torch.from_numpy(levels_of_light()))

    def forward(self, light: Tensor, ab: Tensor, place: Tensor) -> Tensor:
        """Enlarge ab (bicubic), fit it to the gamut at the pixels' lightness, and round.

        Args:
            light: (n, W) L* 0..100, of `Lightness`: rows of the picture.
            ab: (1, 2, h, w) a*b* of the whole picture.
            place: (2,) int64: the first of these rows, and rows of the picture.

        Returns:
            (n, W, 4) uint8, opaque.
        """
        rows, columns = light.shape[0], light.shape[1]
        down = _bicubic(place[0] + _count(rows), place[1], ab.shape[2])
        across = _bicubic(_count(columns), torch.as_tensor(columns), ab.shape[3])
        colors = down @ (ab[0] @ across.T)  # (2, n, W)
        opaque = torch.full((1, 1, 1), 255, dtype=torch.uint8).expand(rows, columns, 1)
        return torch.cat((self.rounded(light, colors), opaque), 2)

    def rounded(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """(n, W) L* and (2, n, W) ab to (n, W, 3) uint8, fitted to the gamut."""
        light, chroma = lightness.flatten(), ab.flatten(1)
        linear = _linear(light, chroma)
        off = (linear - 0.5).abs().amax(0) - (0.5 + GAMUT_TOLERANCE)
        outside = torch.nonzero(off > 0)[:, 0]
        beyond = chroma[:, outside]
        scale = self.largest_scale(light[outside], beyond.T)
        fitted = _linear(light[outside], beyond * scale)
        linear = linear.scatter(1, outside[None].expand(3, -1), fitted)
        codes = (linear * CODES).clip(0, CODES - 1).int()
        return self.levels[codes].T.reshape(lightness.shape[0], lightness.shape[1], 3)


class Spots(nn.Module):
    """Single pixels in colours of their own: spots.paint_hinted."""

    def __init__(self) -> None:
        super().__init__()
        self.paint = Paint()

    def forward(self, pixels: Tensor, ab: Tensor) -> Tensor:
        """(1, N, 4) uint8 and their (2, 1, N) a*b* to (1, N, 4) uint8; the opacity stays."""
        rounded = self.paint.rounded(self.paint.lightness(pixels), ab)
        return torch.cat((rounded, pixels[..., 3:]), 2)


class Lightness(nn.Module):
    """Bytes to L*, as lightness.lightness_of."""

    light: Tensor

    def __init__(self) -> None:
        super().__init__()
        light = XYZN_OF_RGB[1][:, None] * decoded("uint8")
        self.register_buffer("light", torch.from_numpy(light))

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, W, 4) uint8 sRGB to (n, W), 0..100."""
        red, green, blue, _ = pixels.permute(2, 0, 1).int().unbind(0)
        light = self.light[0][red] + self.light[1][green] + self.light[2][blue]
        return 116 * cie_curve(light) - 16


class Lab(nn.Module):
    """Bytes to L*, a* and b*."""

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, W, 4) uint8 sRGB to (3, n, W)."""
        return rgb_to_lab(pixels[..., :3].permute(2, 0, 1).float() / 255)


def _linear(lightness: Tensor, ab: Tensor) -> Tensor:
    """(N,) L* and (2, N) ab to linear RGB, (3, N)."""
    f_y = (lightness + 16) / 116
    f = torch.stack((f_y + ab[0] / 500, f_y, f_y - ab[1] / 200))
    return like(RGB_OF_XYZN, ab) @ inverse_cie_curve(f)


def _count(end: Tensor | int) -> Tensor:
    """(end,) int64; in a trace the end may be a tensor."""
    return torch.arange(end)  # pyright: ignore


def _triangle(rows: Tensor, source: Tensor | int, target: Tensor | int, wanted: Tensor) -> Tensor:
    """(r, n) part of the matrix of `resizing.antialiased`.

    Args:
        rows: (n,) int64 samples of the line.
        source: samples in all.
        target: samples of the reduced line.
        wanted: (r,) int64 those of them that are wanted.
    """
    scale = torch.as_tensor(source / target, dtype=torch.float32)
    width = scale.clamp(min=1)
    centre = ((wanted.float() + 0.5) * scale)[:, None]
    weights = (1 - (rows.float() + 0.5 - centre).abs() / width).clamp(min=0)
    taps = (centre - width).floor() + _count((2 * width).long() + 3).float()
    every = (1 - (taps + 0.5 - centre).abs() / width).clamp(min=0)
    inside = ((taps >= 0) & (taps < source)).float()
    return weights / (every * inside).sum(1, keepdim=True)


def _bicubic(wanted: Tensor, target: Tensor, source: int) -> Tensor:
    """(n, source) rows of the matrix of `resizing.bicubic`.

    Args:
        wanted: (n,) int64 places on the enlarged line.
        target: () int64, length of the enlarged line.
        source: length of the line.
    """
    place = ((wanted.float() + 0.5) * (source / target) - 0.5)[:, None]
    line = _count(source)
    taps = place.floor() + torch.arange(-1, 3)  # (n, 4)
    nearest = torch.minimum(taps.clamp(min=0), line[-1].float())
    share = cubic((place - taps).abs())
    return (share[:, :, None] * (nearest[:, :, None] == line)).sum(1)
