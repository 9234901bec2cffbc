"""README.md of an exported model: every input and output, and how to use them."""

# ruff: noqa: E501 - lines of a table cannot be broken

from colorize_hub.network.config import ColorizerConfig

_CARD = """\
---
license: apache-2.0
library_name: onnx
pipeline_tag: image-to-image
tags:
  - image-colorization
  - onnx
---

# A colorizer in ONNX

Opset {opset}, float32. Written by `colorize-hub export`; `config.json` is that of the model. With the package, and no torch:

```python
from colorize_hub import load

load("{folder}", backend="onnx").colorize("old.jpg").save("old-color.png")
```

## The graphs

Sizes and batch are free: `B` pictures of `H` x `W` pixels. The network works best on a short side of about {size} and on
multiples of 32; `h` x `w` is a quarter of that working size, rounded up.

| file | input | output |
|---|---|---|
| lab.onnx | `rgb` (B, 3, H, W): sRGB 0..1 | `lightness` (B, 1, H, W): L\\* 0..100; `ab` (B, 2, H, W): CIE a\\*, b\\* (D65) |
| encoder.onnx | `lightness` (B, 1, H, W), at working size | `f4`, `f8`, `f16`, `f32`: {channels} channels at strides 4, 8, 16, 32 |
| decoder.onnx | `f4`, `f8`, `f16`, `f32`; `hint_map` (B, 3, h, w) | `maps` (B, {width}, h, w) |
| overview.onnx | `maps`; `whole`: maps of the same picture with a short side of config.json's `overview`, both sides multiples of 32 | `shift` (B, {width}, h, w), to be added to the maps of a picture larger than that, with hints and without |
{attention}| head.onnx | `maps` | `logits` (B, {bins}, h, w) over the ab palette; `strength` (B, 1, 1, 1): 0..1, a factor on `ab` |
| colours.onnx | `logits`; `vividness` (): 0..1, the model's own is {vividness}; `chroma_scale` (): {chroma_scale} | `ab` (B, 2, h, w): a\\*, b\\* |
| render.onnx | `lightness` (B, 1, H, W), at full size; `ab` (B, 2, h, w) | `rgb` (B, 3, H, W): sRGB 0..1 |

`hint_map` holds a\\*, b\\* and 1 in the cells that a hint fixes, and zeros elsewhere; zeros everywhere are no hints. The a\\* and b\\* of
a colour come from lab.onnx. A hint needs the decoder and what follows, not the encoder.

render.onnx enlarges `ab` (bicubic), scales chroma at constant lightness and hue until it fits sRGB, and converts. To paint a large picture
in strips, give it some rows of `lightness` and `strip` = int64 [first row, rows of the whole picture]; left out, it is [0, 0].

## Python

```python
import numpy as np
import onnxruntime
from PIL import Image

names = ("lab", "encoder", "decoder", "overview", "head", "colours", "render")
graphs = {{name: onnxruntime.InferenceSession(f"{{name}}.onnx") for name in names}}


def run(name, **inputs):
    return graphs[name].run(None, inputs)


photo = np.asarray(Image.open("old.jpg").convert("RGB"), np.float32) / 255
lightness = run("lab", rgb=photo.transpose(2, 0, 1)[None])[0]


def see(plane, size):
    small = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
    f4, f8, f16, f32 = run("encoder", lightness=small[None, None])
    hint_map = np.zeros((1, 3, *f4.shape[2:]), np.float32)
    return small, run("decoder", f4=f4, f8=f8, f16=f16, f32=f32, hint_map=hint_map)[0]


# Better than a square: multiples of 32, in the photo's proportions.
small, maps = see(lightness[0, 0], ({size}, {size}))
{python_overview}logits, strength = run("head", maps=maps)
vividness, chroma_scale = (np.array(value, np.float32) for value in ({vividness}, {chroma_scale}))
ab = strength * run("colours", logits=logits, vividness=vividness, chroma_scale=chroma_scale)[0]
rgb = run("render", lightness=lightness, ab=ab)[0][0].transpose(1, 2, 0)
Image.fromarray((rgb * 255).round().astype(np.uint8)).save("old-color.png")
```

## JavaScript, in a browser

```js
import * as ort from "https://cdn.jsdelivr.net/npm/onnxruntime-web/dist/ort.min.mjs";

const names = ["lab", "encoder", "decoder", "overview", "head", "colours", "render"];
const graphs = {{}};
for (const name of names) graphs[name] = await ort.InferenceSession.create(`${{name}}.onnx`);
const run = (name, inputs) => graphs[name].run(inputs);
const scalar = (value) => new ort.Tensor("float32", [value], []);

function pixels(image, width, height) {{
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) rgb[c * width * height + i] = rgba[4 * i + c] / 255;
  return new ort.Tensor("float32", rgb, [1, 3, height, width]);
}}

async function see(image, size) {{
  const {{ lightness }} = await run("lab", {{ rgb: pixels(image, size, size) }});
  const features = await run("encoder", {{ lightness }});
  const [, , rows, columns] = features.f4.dims;
  const hints = new Float32Array(3 * rows * columns); // a*, b*, mask
  const hint_map = new ort.Tensor("float32", hints, [1, 3, rows, columns]);
  return (await run("decoder", {{ ...features, hint_map }})).maps;
}}

export async function colorize(image, width, height) {{
  const {{ lightness }} = await run("lab", {{ rgb: pixels(image, width, height) }});
  const maps = await see(image, {size});
{javascript_overview}  const {{ logits, strength }} = await run("head", {{ maps }});
  const chroma_scale = scalar({chroma_scale} * strength.data[0]);
  const decoding = {{ vividness: scalar({vividness}), chroma_scale }};
  const {{ ab }} = await run("colours", {{ logits, ...decoding }});
  const {{ rgb }} = await run("render", {{ lightness, ab }});
  const picture = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {{
    for (let c = 0; c < 3; c++) picture.data[4 * i + c] = 255 * rgb.data[c * width * height + i];
    picture.data[4 * i + 3] = 255;
  }}
  return picture; // its data is clamped and rounded
}}
```
"""

_ATTENTION = """\
| attention.onnx | `cells` (1, P, C + 3): `maps`, L\\*, a\\*, b\\* of P of the h x w; `anchors` (1, N, C + 3): those that are hinted; `hints` (1, N, 5), `spread` (1, P, 5), `relation` (1, 3, N, P): what kriging says, see colorize_hub/hints/kriging.py | `ab` (1, P, 2): what the hints make of their colours |
"""

_PYTHON_OVERVIEW = """\
_, whole = see(small, ({overview}, {overview}))
maps = maps + run("overview", maps=maps, whole=whole)[0]
"""

_JAVASCRIPT_OVERVIEW = """\
  const whole = await see(image, {overview});
  const {{ shift }} = await run("overview", {{ maps, whole }});
  shift.data.forEach((value, i) => (maps.data[i] += value));
"""


def render_export_card(
    config: ColorizerConfig, channels: list[int], width: int, bins: int, opset: int, folder: str
) -> str:
    """README.md of an exported model.

    Args:
        config: of the model.
        channels: of the four feature maps.
        width: channels of the decoder's last map.
        bins: of the ab palette.
        opset: of the graphs.
        folder: its name, for the example.
    """
    twice = 0 < config.overview < config.size
    python, javascript = (_PYTHON_OVERVIEW, _JAVASCRIPT_OVERVIEW) if twice else ("", "")
    return _CARD.format(
        python_overview=python.format(overview=config.overview),
        javascript_overview=javascript.format(overview=config.overview),
        attention=_ATTENTION if config.hint_attention else "",
        opset=opset,
        folder=folder,
        size=config.size,
        channels=", ".join(map(str, channels)),
        width=width,
        bins=bins,
        vividness=config.vividness,
        chroma_scale=config.chroma_scale,
    )
