from agents.states import START, TRANSITIONS, Outcome, State


def reachable(start: State) -> set[State]:
    seen, waiting = {start}, [start]
    while waiting:
        for following in set(TRANSITIONS[waiting.pop()].values()) - seen:
            seen.add(following)
            waiting.append(following)
    return seen


def test_every_state_and_every_outcome_has_its_place() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {outcome for outcomes in TRANSITIONS.values() for outcome in outcomes} == set(Outcome)


def test_every_state_is_reached_and_leads_to_the_end() -> None:
    assert reachable(START) == set(State)
    assert all(State.DONE in reachable(state) for state in State)
    assert TRANSITIONS[State.DONE] == {}
