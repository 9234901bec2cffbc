"""Full-size work by the plain formulas, whole batches at a time: for devices with many cores.

compose.py does the same on a CPU, in strips that fit its cache.
"""

from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, table
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lightness
from colorize_hub.colour.resizing import antialiased, bicubic

_MOST_PIXELS = 1 << 22  # at a time: some 20 arrays of this size are alive


def small_lightness(pixels: Array, most: int, shape: tuple[int, int]) -> Array:
    """L* 0..100 of B pictures of one size, at another size.

    Args:
        pixels: (B, H, W, 1 or 3) sRGB 0..most, of any type.
        most: 255 or 65535.
        shape: (h, w).

    Returns:
        (B, 1, h, w) float32, `resized`.
    """
    batch, height, width, _ = pixels.shape
    down, across, small = antialiased(height, shape[0]), antialiased(width, shape[1]), 0.0
    for strip in _strips(batch, height, width):
        lightness = batch_lightness(pixels[:, strip], most)
        rows = table(down.weights, lightness)[:, strip]
        small = small + rows @ (lightness @ table(across.weights, lightness).T)
    return small


def batch_lightness(pixels: Array, most: int) -> Array:
    """L* 0..100 of B pictures of one size.

    Args:
        pixels: (B, H, W, 1 or 3) sRGB 0..most, of any type.
        most: 255 or 65535.

    Returns:
        (B, 1, H, W) float32.
    """
    xp = array_namespace(pixels)
    rgb = xp.astype(xp.moveaxis(pixels, -1, 1), xp.float32) / most
    return rgb_to_lightness(xp.broadcast_to(rgb, (len(rgb), 3, *rgb.shape[2:])))


def batch_colors(
    pixels: Array, most: int, ab: Array, owners: Array | None = None, hints: Array | None = None
) -> Array:
    """Join the lightness of B pictures of one size with small ab, fitted to the gamut of sRGB.

    Args:
        pixels: (B, H, W, 1 or 3) sRGB 0..most, of any type.
        most: 255 or 65535.
        ab: (B, 2, h, w) a*b* float32, of any size.
        owners: (H, W) which hint fixes a pixel, -1 for none; see `hinted_pixels`.
        hints: (N, 2) a*b* of the hints.

    Returns:
        (B, H, W, 3) whole numbers 0..most, float32.
    """
    batch, height, width, _ = pixels.shape
    down = table(bicubic(ab.shape[2], height).weights, ab)
    across = ab @ table(bicubic(ab.shape[3], width).weights, ab).T  # (B, 2, h, W)
    xp, strips = array_namespace(ab), []
    for strip in _strips(batch, height, width):
        lightness, colors = batch_lightness(pixels[:, strip], most), down[strip] @ across
        if owners is not None and hints is not None:
            owner = owners[strip]
            fixed = xp.moveaxis(hints[owner.clip(0, None)], -1, 0)  # (2, rows, W)
            colors = xp.where(owner >= 0, fixed, colors)
        rgb = lab_to_rgb(xp.concat((lightness, fit_gamut(lightness, colors)), axis=1))
        strips.append(xp.round(xp.moveaxis(rgb, 1, -1) * most))
    return xp.concat(strips, axis=1)


def _strips(batch: int, height: int, width: int) -> list[slice]:
    """Rows of B pictures, all of them, in parts that leave room for what is made of them."""
    rows = max(1, _MOST_PIXELS // (batch * width))
    return [slice(top, top + rows) for top in range(0, height, rows)]
