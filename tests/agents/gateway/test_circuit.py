from agents.gateway.circuit import FAILING_SECONDS, FAILURES, OPEN_SECONDS, Circuit


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def broken(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for call in range(FAILURES):
        clock.seconds += FAILING_SECONDS if call == FAILURES - 1 else 0
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
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(3 * FAILURES):
        circuit.failed("no answer")
        circuit.succeeded()
        clock.seconds += FAILING_SECONDS
    assert circuit.allows()


def test_an_answer_that_has_begun_lets_others_through_and_forgives_only_when_it_succeeds() -> None:
    clock = Clock()
    circuit = broken(clock)
    clock.seconds += OPEN_SECONDS
    assert circuit.allows()
    circuit.began()
    assert circuit.allows()
    circuit.failed("broke off")
    assert not circuit.allows()


def test_many_calls_that_fail_in_the_same_moment_are_no_outage() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(100):
        circuit.failed("no answer in time")
        clock.seconds += FAILING_SECONDS / 200
    assert circuit.allows()
    assert circuit.open_for == 0


def test_failures_that_go_on_are_an_outage_however_few_callers_there_are() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        assert circuit.allows()
        circuit.failed("no answer in time")
        clock.seconds += 2
    assert not circuit.allows()
