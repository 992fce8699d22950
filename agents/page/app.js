import { ask, isAsking, stop } from "./asking.js";
import { showExamples } from "./examples.js";
import { RequestFailed, reach } from "./requests.js";

const form = document.getElementById("form");
const question = document.getElementById("question");
const provenance = document.getElementById("provenance");

let exemplified = false;

// A text that is set again is read out again, so one that stays is left alone.
function say(ready, text) {
  const line = document.getElementById("knowledge");
  line.className = ready ? "knowledge ready" : "knowledge waiting";
  if (line.textContent !== text) line.textContent = text;
}

async function showKnowledge() {
  try {
    const state = await (await reach("readyz")).json();
    const missing = Object.values(state.checks).find((check) => !check.ok);
    say(state.ready, state.ready
      ? `${state.documents} documents · ${state.passages} passages · refreshed ${new Date(state.refreshed_at).toLocaleDateString()}`
      : `Not ready: ${missing.reason}`);
    provenance.textContent = [
      state.generation && `Generation ${state.generation}`,
      `answers by ${state.models.reasoning}`,
      `search by ${state.models.embedding} and BM25`,
      state.web.on ? "then on the web" : state.web.reason,
    ].filter(Boolean).join("  ·  ");
    if (state.ready && !exemplified) {
      exemplified = true;
      await showExamples();
    }
  } catch (error) {
    say(false, error instanceof RequestFailed ? error.message : "What answers here is not the assistant.");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (!text || isAsking()) return;
  question.value = "";
  ask(text);
});
// While an answer comes about the button stops it; it says so, and needs no question.
document.getElementById("send").addEventListener("click", (event) => {
  if (!isAsking()) return;
  event.preventDefault();
  stop();
});
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop();
  if (event.key !== "/" || event.target.closest("input, textarea, dialog")) return;
  event.preventDefault();
  question.focus();
});

showKnowledge();
setInterval(showKnowledge, 10000);
