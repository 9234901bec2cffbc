"""`python -m tests.train.signalled_run SIGNAL STEP PLACE FLAGS`: `python -m train`, interrupted.

The whole process group gets the signal, as from a terminal, at one place of one step: "noted", when
the loss of the step has just been written down, or "saving", when its checkpoint is written but has
not got its name yet.
"""

import json
import os
import signal
import sys

from train.__main__ import main
from train.run import checkpoint
from train.run.report import Reporter


def _signal_when(number: str, step: int, place: str) -> None:
    note, save_file = Reporter.loss, checkpoint.save_file

    def noted(reporter, at, loss, bar):
        note(reporter, at, loss, bar)
        if at == step:
            os.killpg(0, signal.Signals[number])

    def saving(tensors, path, header):
        save_file(tensors, path, header)
        if json.loads(header["progress"])["step"] == step:
            os.killpg(0, signal.Signals[number])

    if place == "noted":
        Reporter.loss = noted
    else:
        checkpoint.save_file = saving


if __name__ == "__main__":
    name, step, place, *flags = sys.argv[1:]
    _signal_when(name, int(step), place)
    sys.argv[1:] = flags
    main()
