"""What keeps the interpreter itself from making streams wait."""

import gc
import sys

SWITCH_SECONDS = 0.001
YOUNG_OBJECTS = 2_000
YOUNG_BEFORE_MIDDLE = 5
MIDDLE_BEFORE_FULL = 5_000


def shorten_pauses() -> None:
    """Call once, when everything is imported and nothing is served yet.

    A garbage collection stops the event loop for about a millisecond for every thousand objects that it looks at. The
    420,000 that the imports made stay for ever, so they are set aside. What is left are collections of three ages:
    after `YOUNG_OBJECTS` new ones those are looked at, after so many times what outlived that, and only then
    everything, which with 200 streams are 110,000 objects. The last is all but never due, since nothing that lives as
    long as a stream is left to it: see `ModelGateway.stream_chat`.

    After each system call the loop has to wait for whichever thread has the interpreter, such as the one that exports
    spans: for the switch interval, 5 ms unless told otherwise.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_BEFORE_MIDDLE, MIDDLE_BEFORE_FULL)
    sys.setswitchinterval(SWITCH_SECONDS)
