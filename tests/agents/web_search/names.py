"""Names that resolve to what a test says, without DNS."""


class Names:
    """A resolver. A name with several answers gives the next one at each lookup, and the last for ever."""

    def __init__(self, **names: list[list[str]]) -> None:
        self._names = names
        self.lookups: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.lookups.append(host)
        answers = self._names.get(host.split(".")[0])
        if answers is None:
            raise OSError(f"no such name: {host!r}")
        return answers.pop(0) if len(answers) > 1 else answers[0]
