"""The report of a month: what each day brought, what came of it by itself, and what people were answered."""

from dataclasses import astuple, dataclass

HEADINGS = ("day", "what happened", "refresh at two", "serves", "knowledge", "judge", "evaluation", "drill")


@dataclass(frozen=True)
class Day:
    """A line of the report; `serves` is the number of the generation, in the order in which they came to serve."""

    number: int
    happened: str
    refresh: str
    serves: int
    knowledge: str
    judge: str
    evaluation: str
    drill: str


@dataclass(frozen=True)
class Diary:
    """`asked` questions were answered, `wrong` of them not from what was promised; `by_hand` runs were given a word."""

    days: tuple[Day, ...]
    asked: int
    wrong: int
    by_hand: int

    def __str__(self) -> str:
        """The report as Markdown; it names neither times nor durations, so that every month of a seed has the same."""
        refused = sum(day.refresh in ("GateFailed", "DeletionsWithheld") for day in self.days)
        failed = sum(day.evaluation != "passed" for day in self.days)
        return "\n".join(
            (
                "# A month that nobody looked after",
                "",
                "Written by `tests/contracts/test_a_month.py`, which goes through it over each store and compares.",
                "",
                f"{len(self.days)} days, {max(day.serves for day in self.days)} generations served one after another, "
                f"{refused} refreshes were refused, {failed} evaluations failed.",
                f"Of {self.asked} answers {self.wrong} were wrong; {self.by_hand} runs were given a person's word.",
                "",
                _row(HEADINGS),
                _row(["---"] * len(HEADINGS)),
                *(_row([str(cell) for cell in astuple(day)]) for day in self.days),
                "",
            )
        )


def _row(cells: "list[str] | tuple[str, ...]") -> str:
    return f"| {' | '.join(cells)} |"
