"""Rows of pictures on one sheet."""

import numpy as np
import pytest

from train.judging.contact_sheet import contact_sheet


def test_contact_sheet_goes_on_in_bands():
    tiny = [np.full((2, 2), level, np.uint8) for level in range(20)]
    sheet = contact_sheet({"grey": tiny, "ours": tiny}, tile=32, across=8)
    assert sheet.size == (4 + 8 * 36, 4 + 3 * 2 * 52)
    assert sheet.getpixel((8, 30)) == (0, 0, 0)
    assert sheet.getpixel((8 + 3 * 36, 30 + 5 * 52)) == (19, 19, 19)


def test_contact_sheet_needs_rows_of_one_length():
    with pytest.raises(ValueError, match="rows of one length"):
        contact_sheet({"grey": [np.zeros((2, 2), np.uint8)], "ours": []})
    with pytest.raises(ValueError, match="1 or more"):
        contact_sheet({"grey": []})
