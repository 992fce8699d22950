"""Which questions are taken."""

import unicodedata

_UNSEEN = frozenset(["Cc", "Cf", "Zl", "Zp", "Zs"])


class RefusedQuestion(Exception):
    """The question cannot be asked; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def accept_question(text: str, most_bytes: int) -> str:
    """The question without white space around it.

    Raises:
        RefusedQuestion: it is empty (422), not encodable as UTF-8 (422), or longer than `most_bytes` in UTF-8 (413).
    """
    question = text.replace("\0", " ").strip()
    # Joiners, marks of direction and the like are not seen: a question of them alone is as good as none.
    if all(unicodedata.category(character) in _UNSEEN for character in question):
        raise RefusedQuestion("the question is empty; ask something", 422)
    try:
        size = len(question.encode())
    except UnicodeEncodeError as error:
        raise RefusedQuestion(f"the question holds half a surrogate pair at character {error.start}", 422) from error
    if size > most_bytes:
        raise RefusedQuestion(f"the question has {size} bytes; at most {most_bytes} are taken", 413)
    return question
