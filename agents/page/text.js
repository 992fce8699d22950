// Text with `code` set as code. Nothing of it is ever read as HTML.
export function appendText(element, text) {
  for (const [index, part] of text.split(/`([^`\n]+)`/).entries()) {
    if (index % 2) {
      const code = document.createElement("code");
      code.textContent = part;
      element.append(code);
    } else if (part) {
      element.append(part);
    }
  }
}
