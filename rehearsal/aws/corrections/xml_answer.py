"""Reading and changing answers in XML."""

from dataclasses import replace
from xml.etree.ElementTree import Element, tostring

from defusedxml import ElementTree

from rehearsal.aws.call import Answer


class XmlAnswer:
    """An answer in XML whose elements are all of one namespace; change `root`, then take `changed`."""

    def __init__(self, answer: Answer):
        self._answer = answer
        self.root: Element = ElementTree.fromstring(answer.body)
        self._namespace = self.root.tag.partition("}")[0].lstrip("{")

    def all(self, path: str) -> list[Element]:
        """The elements below the root that `path` names, such as `item/description`."""
        return self.root.findall(".//" + self._qualified(path))

    def below(self, element: Element, path: str) -> Element:
        """What `path` names below `element`.

        Raises:
            LookupError: there is none.
        """
        found = element.find(self._qualified(path))
        if found is None:
            raise LookupError(f"{element.tag} has no {path!r}")
        return found

    def text(self, element: Element, path: str) -> str:
        """The text of what `path` names below `element`; empty where there is none."""
        return element.findtext(self._qualified(path)) or ""

    def set(self, element: Element, name: str, text: str) -> None:
        """Make `text` that of the child `name` of `element`."""
        child = element.find(self._qualified(name))
        if child is None:
            child = Element(self._qualified(name))
            element.append(child)
        child.text = text

    def changed(self) -> Answer:
        """The answer as it is now."""
        return replace(self._answer, body=tostring(self.root, default_namespace=self._namespace))

    def _qualified(self, path: str) -> str:
        return "/".join(f"{{{self._namespace}}}{part}" for part in path.split("/"))
