"""What keeps the interpreter itself from making streams wait."""

import gc
import sys

SWITCH_SECONDS = 0.001


def shorten_pauses() -> None:
    """Call once, when everything is imported and nothing is served yet.

    A full garbage collection looks at every object, and stops the event loop meanwhile: for 190 ms when it also looks
    at the 260,000 that the imports made. They stay for ever, so they are set aside.

    After each system call the loop has to wait for whichever thread has the interpreter, such as the one that exports
    spans: for the switch interval, 5 ms unless told otherwise.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
