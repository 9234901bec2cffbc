"""Pixels from the colours that a file names, by an ICC profile or by number, to sRGB.

Little CMS does it, through imagecodecs: with all bits of 16-bit pixels too, where Pillow has 8.
"""

import functools
import logging
import struct
from collections.abc import Callable

import imagecodecs
import numpy as np

from colorize_hub.pictures.boxes import Declared

Converter = Callable[[np.ndarray], np.ndarray]

logger = logging.getLogger(__name__)

_FIXED_DATE = struct.pack(">6H", 2000, 2, 1, 0, 0, 0)
_SPACES = {1: "grey", 3: "RGB", 4: "CMYK"}
_ALL = 65535
_D65 = (0.3127, 0.3290)
# Chromaticities x, y of red, green and blue, by the numbers of ITU-T H.273.
_BT709 = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_PRIMARIES = {
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_GAMMA = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
_WHITE_NITS = 203  # of HDR, ITU-R BT.2408: where white paper lies


@functools.cache
def srgb_profile() -> bytes:
    """Return the sRGB ICC profile to embed, the same bytes in every run."""
    profile = imagecodecs.cms_profile("srgb")
    return profile[:24] + _FIXED_DATE + profile[36:]


def converter(channels: int, dtype: np.dtype, profile: bytes | None) -> Converter:
    """Return what takes pixels, (H, W) or (H, W, C), from their profile to sRGB; it changes none.

    A profile that is broken or made for another kind of picture is ignored with a logged warning.

    Args:
        channels: 1 for grey, 3 for RGB, 4 for CMYK, which becomes RGB.
        dtype: uint8 or uint16, what comes out too.
        profile: None takes grey and RGB for sRGB, and CMYK for inks without colour casts.
    """
    plain = _cmyk_to_rgb if channels == 4 else as_it_is
    if not profile or profile == srgb_profile():
        return plain
    try:
        if channels == 1:
            table = _grey_table(dtype, profile)
            return lambda levels: table[levels]
        if channels == 3 and _moves_little(dtype, profile):
            return plain
        convert = functools.partial(_convert, profile=profile, space=_SPACES[channels].lower())
        convert(np.zeros((1, 1, channels), dtype))
        return convert
    except imagecodecs.CmsError as error:
        logger.warning("Colour profile ignored for this %s picture (%s)", _SPACES[channels], error)
        return plain


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB, uint16, of CIE L*a*b* (D50) as floats, L* 0..100."""
    profile = imagecodecs.cms_profile("lab4")
    return _convert(lab, profile=profile, space="lab", outdtype=np.uint16)


def profile_of_gamma(gamma: float, chromaticities: tuple[float, ...] | None = None) -> bytes | None:
    """Return the profile of pixels whose linear light is their value to a power.

    Args:
        gamma: as PNG has it, the exponent of the file: 1 / 2.2 for most.
        chromaticities: x and y of white, red, green and blue; None takes sRGB's.

    Returns:
        None where it is sRGB as nearly as such files say it, or makes no sense.
    """
    white, primaries = _D65, _BT709
    if chromaticities is not None and len(chromaticities) == 8:
        white, primaries = chromaticities[:2], chromaticities[2:]
    usual = np.abs(np.subtract((*white, *primaries), (*_D65, *_BT709))).max() < 0.002
    if not 0.1 <= gamma <= 10 or (usual and abs(gamma * 2.2 - 1) < 0.02):
        return None
    return _built(white, primaries, gamma=1 / gamma)


def profile_of_numbers(declared: Declared) -> bytes | None:
    """Return the profile that a file names by ITU-T H.273; None where it is sRGB, or as good as.

    Of HDR, white is where paper lies, and what is brighter is clipped, with a logged warning.
    """
    primaries = _PRIMARIES.get(declared.primaries, _BT709)
    if declared.transfer in (_PQ, _HLG):
        logger.warning("HDR colours: what is brighter than white paper becomes white")
        curve = _hdr_curve(declared.transfer == _PQ)
    elif declared.transfer in _GAMMA:
        return _built(_D65, primaries, gamma=_GAMMA[declared.transfer])
    elif primaries == _BT709:
        return None
    else:
        level = np.linspace(0, 1, 4096)
        curve = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    return _built(_D65, primaries, curve=curve.astype(np.float32))


def _built(
    white: tuple[float, ...],
    primaries: tuple[float, ...],
    *,
    gamma: float | None = None,
    curve: np.ndarray | None = None,
) -> bytes | None:
    try:
        return imagecodecs.cms_profile(
            "rgb", whitepoint=white, primaries=primaries, gamma=gamma, transferfunction=curve
        )
    except (imagecodecs.CmsError, ValueError) as error:
        logger.warning("Colours ignored that the file names, they make no sense (%s)", error)
        return None


def _hdr_curve(is_pq: bool) -> np.ndarray:
    """(4096,) linear light, 1 for paper white, of PQ (SMPTE ST 2084) or HLG (ITU-R BT.2100)."""
    level = np.linspace(0, 1, 4096)
    if is_pq:
        root = level ** (1 / 78.84375)
        linear = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        nits = 10_000 * linear ** (1 / 0.1593017578125)
    else:
        upper = (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
        nits = 1000 * np.where(level <= 0.5, level**2 / 3, upper) ** 1.2
    return np.minimum(nits / _WHITE_NITS, 1)


def _convert(
    pixels: np.ndarray, *, profile: bytes, space: str, outdtype: type[np.uint16] | None = None
) -> np.ndarray:
    flags = imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION
    if pixels.dtype != np.uint8:  # Little CMS would shorten it to a table with gaps
        flags |= imagecodecs.CMS.FLAGS.NOOPTIMIZE
    return imagecodecs.cms_transform(
        pixels,
        profile,
        srgb_profile(),
        colorspace=space,
        outcolorspace="rgb",
        outdtype=outdtype,
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        flags=flags,
    )


def _grey_table(dtype: np.dtype, profile: bytes) -> np.ndarray:
    """Return what becomes of each grey level, 0 to the type's largest.

    Also takes an RGB profile, which stays behind when a colour photograph is turned grey.
    """
    ramp = np.arange(_ALL + 1, dtype=np.uint16).reshape(256, 256)
    if profile[16:20] == b"RGB ":  # the colour space field of the ICC header
        table = _convert(np.stack([ramp] * 3, axis=-1), profile=profile, space="rgb")
    else:
        table = _convert(ramp, profile=profile, space="gray")
    table = table[..., 1].ravel()
    if dtype == np.uint8:
        table = np.rint(table[::257] / 257).astype(np.uint8)
    levels = np.arange(len(table))
    return levels.astype(dtype) if np.abs(table - levels).max() <= len(table) // 256 else table


def _moves_little(dtype: np.dtype, profile: bytes) -> bool:
    """Tell whether no colour moves by more than one of 255 levels: most profiles are sRGB."""
    white = np.iinfo(dtype).max
    levels = np.linspace(0, white, 9).astype(dtype)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    moved = _convert(probe, profile=profile, space="rgb").astype(int) - probe
    return bool(np.abs(moved).max() <= white // 255)


def as_it_is(pixels: np.ndarray) -> np.ndarray:
    """Return the converter of what is sRGB already."""
    return pixels


def _cmyk_to_rgb(inks: np.ndarray) -> np.ndarray:
    """(..., 3) of (..., 4) inks: what neither black nor the other ink covers."""
    white = int(np.iinfo(inks.dtype).max)
    light = white - inks[..., 3:].astype(np.uint32)
    return (light - (inks[..., :3] * light + white // 2) // white).astype(inks.dtype)
