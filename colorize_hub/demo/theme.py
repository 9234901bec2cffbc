"""How the page looks: neutral greys that leave the colour to the pictures, fonts of the machine."""

from gradio.themes import Base, colors, sizes

CSS = """
.gradio-container .main { max-width: 1320px !important; margin: 0 auto; padding: 20px 24px 12px; }
@media (max-width: 800px) { .gradio-container .main { padding: 12px 16px; } }
.gradio-container .html-container { padding: 0; }
#masthead .prose { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 16px; }
#masthead h1 { font: 400 32px/1.2 ui-serif, Georgia, "Times New Roman", serif; margin: 0; }
#masthead p { margin: 0; color: var(--body-text-color-subdued); font-size: 16px; }

/* Wide: the picture beside its controls. Narrow: in reading order, the picture second. */
#photo-desk {
  display: grid; gap: 16px 24px; align-items: start;
  grid-template: "input result" auto "knobs result" auto "examples result" 1fr
    / 288px minmax(0, 1fr);
}
#photo-input { grid-area: input; }
#photo-result { grid-area: result; gap: 10px; }
#photo-knobs { grid-area: knobs; gap: 10px; }
#photo-examples { grid-area: examples; gap: 8px; }
#photo-desk > .column { min-width: 0 !important; }
@media (max-width: 800px) {
  #photo-desk {
    grid-template: "input" auto "result" auto "knobs" auto "examples" auto / minmax(0, 1fr);
  }
}

#drop-zone { height: 168px; }
#drop-zone .image-container, #drop-zone .upload-container { height: 100%; }
#drop-zone h2 { font-size: 20px; }
@media (max-width: 800px) { #drop-zone { height: 128px; } }

/* Before and after: as tall as the window lets it be without scrolling. */
#before-after { --block-background-fill: #efeeec; border: 0; background: #efeeec; }
.dark #before-after { --block-background-fill: #1d1d1d; background: #1d1d1d; }
#before-after img { max-height: max(320px, calc(100vh - 224px)) !important; }
@media (max-width: 800px) { #before-after img { max-height: 72vh !important; } }
#before-after.fullscreen img { max-height: 100vh !important; }
#before-after button[disabled] { display: none; }
/* After a bad file the message is in a toast; the picture stays in sight. */
#before-after > .wrap:has(.error) { display: none; }
#caption .prose { font-size: 15px; }
#note .prose, #examples-title .prose { font-size: 14px; color: var(--body-text-color-subdued); }
#download-status { min-height: 20px; }
#download-status .prose { font-size: 14px; overflow-wrap: anywhere; }

#examples { border: 0; background: none; }
#examples .grid-wrap { min-height: 0; max-height: none; padding: 0; overflow: visible; }
#examples .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; padding: 0;
  grid-auto-rows: auto; align-content: start; height: auto; }
#examples .thumbnail-item { aspect-ratio: 4 / 3; width: 100%; height: auto; border: 0; }
#examples .caption-label { display: none; }
@media (min-width: 480px) and (max-width: 800px) {
  #examples .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)); }
}

footer img, footer .divider { display: none !important; }
"""


def make_theme() -> Base:
    """Neutral, light and dark, with the machine's own fonts, so that nothing is fetched."""
    return Base(
        primary_hue=colors.stone,
        secondary_hue=colors.stone,
        neutral_hue=colors.neutral,
        radius_size=sizes.radius_md,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_background_fill="#fbfbfa",
        body_background_fill_dark="#141414",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1d1d1d",
        block_title_text_color="*body_text_color",
        block_info_text_color="*body_text_color_subdued",
        border_color_primary="#deddda",
        border_color_primary_dark="#333333",
        button_primary_background_fill="*neutral_900",
        button_primary_background_fill_dark="*neutral_100",
        button_primary_background_fill_hover="*neutral_700",
        button_primary_background_fill_hover_dark="#ffffff",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="*neutral_900",
        button_large_text_weight="500",
        slider_color="#b4572e",
        slider_color_dark="#d9774b",
        loader_color="#b4572e",
        loader_color_dark="#d9774b",
    )
