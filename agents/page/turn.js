// One question with its answer, as the page shows it.
import { openCitation } from "./panel.js";
import { appendText } from "./text.js";

const conversation = document.getElementById("conversation");
const announcement = document.getElementById("announcement");

const QUOTED =
  "Nothing that the model wrote passed the check against the documents, so here is what the documents say, word for word.";

export function announce(text) {
  announcement.textContent = text;
}

export function newTurn(text) {
  const turn = document.getElementById("turn").content.cloneNode(true).firstElementChild;
  turn.querySelector(".asked").textContent = text;
  conversation.prepend(turn);
  return turn;
}

export function clearTurns() {
  conversation.replaceChildren();
}

export function verdict(turn, kind, text) {
  const line = turn.querySelector(".verdict");
  line.className = `verdict ${kind}`;
  line.textContent = text;
  line.hidden = false;
  return line;
}

export function showSentence(turn, sentence, citations, quoting) {
  const answer = turn.querySelector(".answer");
  if (sentence.separator && !quoting) answer.append(sentence.separator);
  const shown = document.createElement("span");
  shown.className = quoting ? "sentence quote" : "sentence";
  appendText(shown, sentence.text);
  shown.append(citationButton(citations.get(sentence.citation)));
  answer.append(shown);
}

export function showEnd(turn, answer) {
  if (answer.kind === "quoted") verdict(turn, answer.kind, QUOTED);
  if (answer.kind === "abstained") verdict(turn, answer.kind, answer.answer);
  answer.citations.forEach((citation) => showSource(turn, citation));
  for (const note of answer.notes) {
    const line = document.createElement("p");
    line.textContent = `Note: ${note}.`;
    turn.querySelector(".notes").append(line);
  }
  const figures = [`relevancy ${answer.relevancy.toFixed(2)}`];
  if (answer.groundedness !== null) figures.push(`grounded ${answer.groundedness.toFixed(2)}`);
  figures.push(`${(answer.timings_ms.total / 1000).toFixed(1)} s`);
  if (answer.generation) figures.push(`generation ${answer.generation}`);
  turn.querySelector(".figures").textContent = figures.join("  ·  ");
  announce(answer.kind === "abstained" ? answer.answer : `Answer: ${answer.answer}`);
}

export function offerAgain(turn, kind, message, again) {
  turn.querySelector(".stages").hidden = true;
  const line = verdict(turn, kind, message);
  line.setAttribute("role", "alert");
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "retry";
  retry.textContent = kind === "failed" ? "Try again" : "Ask again";
  retry.addEventListener("click", () => {
    turn.remove();
    again();
  });
  line.append(retry);
}

function citationButton(citation) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cite";
  button.textContent = citation.number;
  button.setAttribute("aria-label", `Source ${citation.number}: ${citation.title}`);
  button.addEventListener("click", () => openCitation(citation));
  return button;
}

function showSource(turn, citation) {
  const button = document.createElement("button");
  button.type = "button";
  for (const [name, text] of [
    ["number", citation.number],
    ["place", citation.heading_path.join(" › ") || citation.title],
    ["quoted", citation.quote],
    ["file", citation.origin === "web" ? `Web · ${citation.path}` : citation.path],
  ]) {
    const part = document.createElement("span");
    part.className = name;
    appendText(part, String(text));
    button.append(part);
  }
  button.addEventListener("click", () => openCitation(citation));
  const item = document.createElement("li");
  item.className = citation.origin === "web" ? "web" : "";
  item.append(button);
  turn.querySelector(".sources").append(item);
}
