import { request } from "./requests.js";
import { appendText } from "./text.js";

const panel = document.getElementById("panel");
const text = document.getElementById("panel-text");

document.getElementById("panel-close").addEventListener("click", () => panel.close());
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close(); // the backdrop belongs to the dialog
});

function piece(name, className, content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const [index, part] of content.split(/^#{1,6} +(.+)$/m).entries()) {
    if (index % 2) {
      const heading = document.createElement("strong");
      appendText(heading, part);
      element.append(heading);
    } else {
      appendText(element, part);
    }
  }
  return element;
}

// The page learns nothing of where its reader comes from, and gets no handle on this one.
function link(address) {
  const element = document.createElement("a");
  if (/^https?:/.test(address)) element.href = address;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  element.textContent = address;
  return element;
}

// Offsets count characters as Python does; JavaScript's strings count UTF-16 units.
function highlight(document, citation) {
  const characters = Array.from(document.text);
  const slice = (start, end) => characters.slice(start, end).join("");
  const chunk = document.chunks.find((span) => span.chunk_id === citation.chunk_id);
  const passage = piece("span", "passage", "");
  const mark = piece("mark", "", slice(citation.start, citation.end));
  passage.append(piece("span", "", slice(chunk.start, citation.start)), mark, piece("span", "", slice(citation.end, chunk.end)));
  text.replaceChildren(
    piece("span", "", slice(0, chunk.start).trimStart()), passage, piece("span", "", slice(chunk.end, characters.length)),
  );
  mark.scrollIntoView({ block: "center" });
}

export async function openCitation(citation) {
  const fromWeb = citation.origin === "web";
  document.getElementById("panel-title").textContent = citation.title;
  document.getElementById("panel-path").textContent = citation.path;
  document.getElementById("panel-headings").textContent = citation.heading_path.filter((heading) => heading !== citation.title).join(" › ");
  document.getElementById("panel-source").replaceChildren(...(fromWeb
    ? [link(citation.document_uri), " · found on the web, not in the knowledge base: anybody may have written it"]
    : [`${citation.document_uri} · generation ${citation.generation}`]));
  text.textContent = "Loading the document…";
  panel.showModal();
  if (fromWeb) {
    text.replaceChildren(piece("mark", "", citation.quote));
    return;
  }
  const query = new URLSearchParams({ uri: citation.document_uri, generation: citation.generation });
  try {
    highlight(await (await request(`v1/documents?${query}`)).json(), citation);
  } catch (error) {
    const reason = piece("p", "", `The document cannot be shown (${error.message}). The quote:`);
    text.replaceChildren(reason, piece("mark", "", citation.quote));
  }
}
