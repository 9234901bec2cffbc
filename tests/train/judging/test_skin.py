"""The skin of faces: found in dark and light, judged where it is."""

import numpy as np
import pytest
import torch
from PIL import Image

from train.judging.metrics import delta_e
from train.judging.pictures import to_batch
from train.judging.skin import Skin, score_skin, skin_mask, summarize_skin

# Patches 1 and 2 of the ColorChecker Classic, "dark skin" and "light skin" (BabelColor's averages).
DARK, LIGHT = (115, 82, 68), (194, 150, 130)


def flat(rgb, size=(40, 60)):
    return np.full((*size, 3), rgb, np.uint8)


def test_skin_is_found_in_dark_and_light_and_nothing_else_is():
    others = [(70, 90, 160), (80, 120, 60), (128, 128, 128), (250, 250, 250), (5, 5, 5)]
    found = skin_mask(to_batch([flat(rgb) for rgb in (DARK, LIGHT, *others)]))
    assert found[:2, 10:30, 15:45].all()
    assert not found[2:].any()


def test_the_rule_is_that_of_the_standard():
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    _, cb, cr = np.asarray(Image.fromarray(rgb).convert("YCbCr"), float).transpose(2, 0, 1)
    cb, cr = ((plane - 128) * 224 / 255 + 128 for plane in (cb, cr))  # JPEG's is of full range
    sure = (abs(cb - 77) > 1) & (abs(cb - 127) > 1) & (abs(cr - 133) > 1) & (abs(cr - 173) > 1)
    expected = (cb > 77) & (cb < 127) & (cr > 133) & (cr < 173)
    middle = np.s_[16:-16, 16:-16]
    found = skin_mask(to_batch([rgb]))[0].numpy()
    assert (found == expected)[middle][sure[middle]].all()
    assert 0.02 < found[middle].mean() < 0.5
    assert found.sum() == found[middle].sum()


def test_only_the_skin_is_judged():
    truth, ours = flat((70, 90, 160), (80, 80)), flat((200, 20, 20), (80, 80))
    truth[20:60, 20:60], ours[20:60, 20:60] = LIGHT, (190, 160, 120)
    found = score_skin(ours, truth)
    skin = [to_batch([one[20:60, 20:60]]) for one in (ours, truth)]
    assert found is not None
    assert found.error == pytest.approx(delta_e(*skin), rel=1e-5)
    assert found.lightness == pytest.approx(65.7, abs=0.7)


def test_a_picture_without_a_face_does_not_count():
    assert score_skin(flat(LIGHT), flat((70, 90, 160))) is None


def test_quarters_by_lightness():
    errors = torch.randperm(20).tolist()
    found = summarize_skin([Skin(lightness=100 - error, error=error) for error in errors])
    assert found == {
        "skin_images": 20,
        "skin_ciede2000": 9.5,
        "skin_ciede2000_darkest": 17.0,
        "skin_ciede2000_lightest": 2.0,
    }


def test_too_few_faces():
    with pytest.raises(ValueError, match="Skin was found in 3 pictures, which must be 4"):
        summarize_skin([Skin(50, 1)] * 3)
