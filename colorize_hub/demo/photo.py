"""The photo tab: drop a photo, compare before and after, set the vividness, download the result."""

from dataclasses import dataclass

import gradio as gr
from gradio.utils import get_upload_folder

from colorize_hub.colorizer import Colorizer
from colorize_hub.demo.desk import PhotoDesk
from colorize_hub.demo.handlers import (
    EXAMPLES,
    Comparison,
    PhotoHandlers,
    caption,
    example_paths,
)

NOTE = "The colours are plausible, not historical fact. The brightness is exactly the photo's own."
DOWNLOAD = "Download full size"

# A file pasted or dropped anywhere on the page goes to the drop zone.
_ANYWHERE_JS = """() => {
  const offer = (event, files) => {
    const photo = [...(files ?? [])].find((file) => file.type.startsWith('image/'));
    const input = document.querySelector('#drop-zone input[type=file]');
    if (!photo || !input || event.target.closest?.('#drop-zone')) return;
    const transfer = new DataTransfer();
    transfer.items.add(photo);
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  };
  document.addEventListener('paste', (event) => offer(event, event.clipboardData?.files));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    offer(event, event.dataTransfer?.files);
  });
}"""

_SAVE_JS = """(file) => {
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}"""


@dataclass(frozen=True)
class _Widgets:
    upload: gr.Image
    result: gr.ImageSlider
    about: gr.HTML
    vividness: gr.Slider
    download: gr.Button
    status: gr.HTML
    gallery: gr.Gallery


def photo_tab(demo: gr.Blocks, colorizer: Colorizer) -> None:
    """Adds the tab to the page that is being built.

    Args:
        demo: the page.
        colorizer: colours the first example now, and every visitor's photos later.
    """
    with gr.Tab("Photo"):
        desk = PhotoDesk(colorizer, get_upload_folder())
        handlers = PhotoHandlers(desk)
        first = str(example_paths()[0])
        photo = gr.State(first)
        sheet = desk.open(first, visitor="")
        vividness = colorizer.config.vividness
        widgets = _lay_out(vividness, desk.compare(sheet, vividness), caption(first, sheet.size))
        desk.forget("")
        _connect_preview(widgets, photo, handlers)
        _connect_download(widgets, photo, handlers)
        _connect_api(widgets, handlers)
    demo.load(None, js=_ANYWHERE_JS, api_visibility="private")
    demo.unload(handlers.forget)


def _lay_out(vividness: float, comparison: Comparison, about_it: str) -> _Widgets:
    with gr.Row(elem_id="photo-desk"):
        with gr.Column(elem_id="photo-input"):
            upload = gr.Image(
                type="filepath",
                sources=["upload"],
                label="Photo",
                show_label=False,
                buttons=[],
                placeholder="# Choose a photo\nor drop or paste one anywhere",
                elem_id="drop-zone",
            )
        with gr.Column(elem_id="photo-result"):
            result = gr.ImageSlider(
                comparison,
                type="filepath",
                label="Before and after",
                show_label=False,
                interactive=False,
                buttons=["fullscreen"],
                elem_id="before-after",
            )
            about = gr.HTML(about_it, elem_id="caption")
            gr.HTML(NOTE, elem_id="note")
        with gr.Column(elem_id="photo-knobs"):
            slider = gr.Slider(
                0,
                1,
                vividness,
                step=0.01,
                label="Vividness",
                info="From muted to strong",
                elem_id="vividness",
            )
            download = gr.Button(DOWNLOAD, variant="primary", elem_id="download")
            status = gr.HTML(elem_id="download-status")
        with gr.Column(elem_id="photo-examples"):
            gr.HTML("Or try one of these prints", elem_id="examples-title")
            gallery = gr.Gallery(
                value=list(zip(map(str, example_paths()), EXAMPLES.values(), strict=True)),
                label="Example prints",
                show_label=False,
                columns=3,
                height="auto",
                object_fit="cover",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="examples",
            )
    return _Widgets(upload, result, about, slider, download, status, gallery)


def _connect_preview(widgets: _Widgets, photo: gr.State, handlers: PhotoHandlers) -> None:
    # One queue for all three, so that a photo and the slider moved meanwhile are handled in order.
    opened = [widgets.result, photo, widgets.about, widgets.status]
    uploaded = widgets.upload.upload(
        handlers.open_upload,
        [widgets.upload, widgets.vividness],
        opened,
        preprocess=False,  # our reader opens the file, so that our messages reach the visitor
        show_progress="minimal",
        show_progress_on=widgets.result,
        concurrency_id="preview",
        concurrency_limit=1,
        api_visibility="private",
    )
    for finished in (uploaded.success, uploaded.failure):  # then() does not follow a failure
        finished(None, None, widgets.upload, js="() => null", api_visibility="private")
    widgets.gallery.select(
        handlers.open_example,
        [widgets.vividness],
        opened,
        show_progress="minimal",
        show_progress_on=widgets.result,
        trigger_mode="always_last",
        concurrency_id="preview",
        concurrency_limit=1,
        api_visibility="private",
    )
    widgets.vividness.change(
        handlers.tune,
        [photo, widgets.vividness],
        [widgets.result, widgets.status],
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_id="preview",
        concurrency_limit=1,
        api_visibility="private",
    )


def _connect_download(widgets: _Widgets, photo: gr.State, handlers: PhotoHandlers) -> None:
    file = gr.DownloadButton(visible=False)
    made = widgets.download.click(
        lambda: (gr.Button("Making the full-size PNG…", interactive=False), ""),
        None,
        [widgets.download, widgets.status],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    ).then(
        handlers.full_size,
        [photo, widgets.vividness],
        [file, widgets.status],
        show_progress="hidden",
        concurrency_id="full-size",
        concurrency_limit=1,  # one at a time: a large photo takes gigabytes
        api_visibility="private",
    )
    made.success(None, file, None, js=_SAVE_JS, api_visibility="private")
    for finished in (made.success, made.failure):
        finished(
            lambda: gr.Button(DOWNLOAD, interactive=True),
            None,
            widgets.download,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )


def _connect_api(widgets: _Widgets, handlers: PhotoHandlers) -> None:
    gr.Button(visible=False).click(
        handlers.colorize,
        [gr.Image(type="filepath", label="Photo", visible=False), widgets.vividness],
        gr.File(label="Colour, PNG", visible=False),
        preprocess=False,
        concurrency_id="full-size",
        concurrency_limit=1,
        api_name="colorize",
    )
