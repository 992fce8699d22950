from agents.circuit import FAILURES, OPEN_SECONDS, Circuit


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def broken(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        assert circuit.allows()
        circuit.failed("no answer")
    return circuit


def test_what_fails_again_and_again_is_left_alone_for_a_while() -> None:
    clock = Clock()
    circuit = broken(clock)
    assert not circuit.allows()
    assert (circuit.open_for, circuit.reason) == (OPEN_SECONDS, "no answer")


def test_then_one_call_is_let_through_on_trial() -> None:
    clock = Clock()
    circuit = broken(clock)
    clock.seconds += OPEN_SECONDS
    assert circuit.allows()
    assert not circuit.allows()
    circuit.failed("no answer again")
    assert not circuit.allows()
    clock.seconds += OPEN_SECONDS
    assert circuit.allows()
    circuit.succeeded()
    assert circuit.allows()
    assert circuit.allows()


def test_a_success_in_between_forgives() -> None:
    circuit = Circuit(Clock())
    for _ in range(3 * FAILURES):
        circuit.failed("no answer")
        circuit.succeeded()
    assert circuit.allows()
