"""How the page looks: neutral greys that leave the colour to the pictures, fonts of the machine."""

from gradio.themes import Base, colors, sizes

CSS = """
.gradio-container .main { max-width: 1480px !important; margin: 0 auto; padding: 16px 24px 8px; }
@media (max-width: 860px) { .gradio-container .main { padding: 8px 16px 4px; } }
.gradio-container .html-container { padding: 0; }
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
