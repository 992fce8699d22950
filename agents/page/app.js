import { openCitation } from "./panel.js";
import { showExamples } from "./examples.js";
import { readEvents } from "./events.js";
import { appendText } from "./text.js";

const form = document.getElementById("form");
const question = document.getElementById("question");
const send = document.getElementById("send");
const conversation = document.getElementById("conversation");
const examples = document.getElementById("examples");
const provenance = document.getElementById("provenance");
const announcement = document.getElementById("announcement");

const VERDICTS = {
  quoted: "Nothing that the model wrote passed the check against the documents, so here is what the documents say, word for word.",
  abstained: "I do not know. The knowledge base holds nothing that answers this question.",
};

function newTurn(text) {
  const turn = document.getElementById("turn").content.cloneNode(true).firstElementChild;
  turn.querySelector(".asked").textContent = text;
  conversation.prepend(turn);
  return turn;
}

function showStage(turn, stage) {
  const shown = stage === "quote" ? "check" : stage;
  for (const step of turn.querySelectorAll(".stages li")) {
    if (step.classList.contains("now")) step.classList.replace("now", "past");
    if (step.dataset.stage === shown) step.classList.add("now");
  }
}

function verdict(turn, kind, text) {
  const line = turn.querySelector(".verdict");
  line.className = `verdict ${kind}`;
  line.textContent = text;
  line.hidden = false;
  return line;
}

function showSentence(turn, sentence, citations, quoting) {
  const answer = turn.querySelector(".answer");
  if (sentence.separator && !quoting) answer.append(sentence.separator);
  const shown = document.createElement("span");
  shown.className = quoting ? "sentence quote" : "sentence";
  appendText(shown, sentence.text);
  shown.append(citationButton(citations.get(sentence.citation)));
  answer.append(shown);
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
    ["file", citation.path],
  ]) {
    const part = document.createElement("span");
    part.className = name;
    part.textContent = text;
    button.append(part);
  }
  button.addEventListener("click", () => openCitation(citation));
  const item = document.createElement("li");
  item.append(button);
  turn.querySelector(".sources").append(item);
}

function showEnd(turn, answer, citations) {
  turn.querySelectorAll(".stages li.now").forEach((step) => step.classList.replace("now", "past"));
  if (VERDICTS[answer.kind]) verdict(turn, answer.kind, VERDICTS[answer.kind]);
  citations.forEach((citation) => showSource(turn, citation));
  for (const note of answer.notes) {
    const line = document.createElement("p");
    line.textContent = `Note: ${note}.`;
    turn.querySelector(".notes").append(line);
  }
  const figures = [`relevancy ${answer.relevancy.toFixed(2)}`];
  if (answer.groundedness !== null) figures.push(`grounded ${answer.groundedness.toFixed(2)}`);
  figures.push(`${(answer.timings_ms.total / 1000).toFixed(1)} s`, `generation ${answer.generation}`);
  turn.querySelector(".figures").textContent = figures.join("  ·  ");
  announcement.textContent = answer.kind === "abstained" ? VERDICTS.abstained : `Answer: ${answer.answer}`;
}

function showFailure(turn, text, message) {
  turn.querySelector(".stages").hidden = true;
  const line = verdict(turn, "failed", message);
  line.setAttribute("role", "alert");
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "retry";
  retry.textContent = "Try again";
  retry.addEventListener("click", () => {
    turn.remove();
    ask(text);
  });
  line.append(retry);
}

async function follow(turn, response) {
  const citations = new Map();
  let quoting = false;
  for await (const { name, data } of readEvents(response.body)) {
    if (name === "state_entered") {
      showStage(turn, data.state);
      quoting = data.state === "quote";
    } else if (name === "citation_made") {
      citations.set(data.citation.number, data.citation);
    } else if (name === "sentence_released") {
      showSentence(turn, data.sentence, citations, quoting);
    } else if (name === "error") {
      throw new Error(data.error.message);
    } else if (name === "done") {
      showEnd(turn, data.answer, citations);
      return;
    }
  }
  throw new Error("The answer broke off.");
}

async function ask(text) {
  examples.hidden = true;
  const turn = newTurn(text);
  showStage(turn, "retrieve");
  send.disabled = true;
  announcement.textContent = "Looking for an answer.";
  try {
    const response = await fetch("v1/ask", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ question: text }),
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    await follow(turn, response);
  } catch (error) {
    const message = error instanceof TypeError ? "The assistant cannot be reached." : error.message;
    showFailure(turn, text, `No answer: ${message}`);
  } finally {
    send.disabled = false;
  }
}

let exemplified = false;

async function showKnowledge() {
  const line = document.getElementById("knowledge");
  try {
    const state = await (await fetch("readyz")).json();
    const missing = Object.values(state.checks).find((check) => !check.ok);
    line.className = state.ready ? "knowledge ready" : "knowledge waiting";
    line.textContent = state.ready
      ? `${state.documents} documents · ${state.passages} passages · refreshed ${new Date(state.refreshed_at).toLocaleDateString()}`
      : `Not ready: ${missing.reason}`;
    provenance.textContent = [
      state.generation && `Generation ${state.generation}`,
      `answers by ${state.models.chat}`,
      `search by ${state.models.embedding} and BM25`,
    ].filter(Boolean).join("  ·  ");
    if (state.ready && !exemplified) {
      exemplified = true;
      await showExamples();
    }
  } catch {
    line.className = "knowledge waiting";
    line.textContent = "The assistant cannot be reached.";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (!text || send.disabled) return;
  question.value = "";
  ask(text);
});
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, dialog")) return;
  event.preventDefault();
  question.focus();
});

showKnowledge();
setInterval(showKnowledge, 10000);
