"""What metrics.json may hold, and the tables that a card makes of it."""

import math

import pytest

from colorize_hub.publish.results import (
    counted_by,
    hint_counts,
    hint_rows,
    hint_table,
    markdown_table,
    read_results,
    result_label,
    result_table,
)

METRICS: dict[str, float | int | str] = {
    "images": 490,
    "data": "photos_256",
    "size": 192,
    "psnr": 22.344,
    "psnr_grey": 24.1,
    "psnr_minus_grey": -1.756,
    "colorfulness": 40.24,
    "colorfulness_truth": 44.0,
    "delta_colorfulness": -3.76,
    "ciede2000": 10.2,
    "out_of_gamut": 0.0123,
}
MORE: dict[str, float | int | str] = {
    "hint_images": 100,
    "hints_0_psnr": 22.0,
    "hints_0_floor_psnr": 24.0,
    "hints_10_psnr": 27.5,
    "hints_10_floor_psnr": 26.25,
    "hints_10_minus_floor": 1.25,
    "hints_10_minus_none": 5.5,
    "hint_delta_e": 0.8,
    "hint_delta_e_grey": 14.0,
    "size_images": 90,
    "size_delta_e": 2.75,
    "skin_images": 40,
    "skin_ciede2000": 7.25,
    "model_sha256": "0" * 64,
}


def cells(table: str, label: str) -> list[str]:
    line = next(line for line in table.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_facts_are_no_results():
    facts = {"images", "data", "size", "hint_images", "size_images", "skin_images", "model_sha256"}
    assert read_results(METRICS | MORE).keys() == (METRICS | MORE).keys() - facts


def test_each_result_has_a_name_and_a_count():
    names = {name: (result_label(name), counted_by(name)) for name in read_results(METRICS | MORE)}
    assert len(set(names.values())) == len(names)
    assert names["psnr"] == ("PSNR (dB)", "images")
    assert names["hints_10_floor_psnr"] == (
        "PSNR with 10 hints, no-learning floor (dB)",
        "hint_images",
    )
    assert result_label("hints_1_psnr") == "PSNR with 1 hint (dB)"
    assert names["size_delta_e"][1] == "size_images"
    assert names["skin_ciede2000"][1] == "skin_images"


def test_the_table_has_grey_and_n_beside_each_figure():
    table = result_table(METRICS | MORE)
    assert cells(table, "PSNR (dB)") == ["22.34", "24.10", "", "490"]
    assert cells(table, "Colourfulness") == ["40.2", "0.0", "44.0", "490"]
    assert cells(table, "Predicted outside sRGB, before fitting")[0] == "1.23%"
    assert cells(table, "CIEDE2000 to the hint at hinted pixels") == ["0.80", "14.00", "", "100"]
    assert cells(table, "CIEDE2000 on the skin of faces") == ["7.25", "", "", "40"]
    assert cells(table, "10 hints: PSNR over the no-learning floor (dB)")[0] == "+1.25"
    assert cells(table, "CIEDE2000 between working sizes 192 to 512")[3] == "90"
    assert "KID" not in table


def test_the_hint_curve_as_a_table():
    metrics = METRICS | MORE
    assert hint_counts(metrics) == [0, 10]
    assert hint_rows(metrics)["Grey picture"] == [24.0, 24.0]
    table = hint_table(metrics)
    assert cells(table, "Hints") == ["0", "10"]
    assert cells(table, "This model") == ["22.00", "27.50"]
    assert cells(table, "No-learning floor") == ["24.00", "26.25"]
    assert hint_counts(METRICS) == []


def test_a_table_keeps_its_cells_apart():
    table = markdown_table(("a", "b"), "lr", [("x|y", "1\n2")])
    assert table == "| a | b |\n|---|--:|\n| x\\|y | 1 2 |"


@pytest.mark.parametrize("name", list(METRICS))
def test_a_missing_metric_is_named(name):
    metrics = {key: value for key, value in METRICS.items() if key != name}
    with pytest.raises(ValueError, match=rf"needs metric '{name}'.*Run train\.evaluate"):
        read_results(metrics)


@pytest.mark.parametrize("value", [math.nan, math.inf, "22.3", True])
def test_a_metric_that_is_no_number_is_named(value):
    with pytest.raises(ValueError, match="Metric 'psnr' must be a finite number, got"):
        read_results(METRICS | {"psnr": value})


@pytest.mark.parametrize("name", ["beauty", "hints_many_psnr", "hints_10_psnr_grey"])
def test_an_unknown_metric_is_named(name):
    with pytest.raises(ValueError, match=f"no place for metric '{name}'"):
        read_results(METRICS | {name: 1.0})
