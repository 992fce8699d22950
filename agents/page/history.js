// The caller's earlier conversations, where the service keeps any.
import { offerFeedback } from "./feedback.js";
import { request } from "./requests.js";
import { Stages } from "./stages.js";
import { clearTurns, newTurn, showEnd, showSentence } from "./turn.js";

const dialog = document.getElementById("history");
const list = document.getElementById("history-list");
const more = document.getElementById("history-more");
const open = document.getElementById("history-open");

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

let current = null;
const offered = offerHistory();

// What the next question is kept under; null where nothing is kept.
export async function conversation() {
  await offered;
  return current;
}

function begin() {
  current = newId();
  clearTurns();
}

function replay({ question, answer }) {
  const turn = newTurn(question);
  const citations = new Map(answer.citations.map((citation) => [citation.number, citation]));
  answer.sentences.forEach((sentence) => showSentence(turn, sentence, citations, answer.kind === "quoted"));
  showEnd(turn, answer);
  new Stages(turn).showRoute(answer);
  offerFeedback(turn, answer);
}

async function show(summary) {
  const { turns } = await (await request(`v1/conversations/${summary.id}`)).json();
  begin();
  current = summary.id;
  turns.forEach(replay);
  dialog.close();
}

function row(summary) {
  const item = document.createElement("li");
  const name = document.createElement("button");
  name.type = "button";
  name.className = "title";
  name.textContent = summary.title;
  const when = document.createElement("span");
  when.className = "when";
  when.textContent = new Date(summary.updated_at).toLocaleString();
  name.append(when);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "remove";
  remove.textContent = "Delete";
  remove.setAttribute("aria-label", `Delete: ${summary.title}`);
  name.addEventListener("click", () => attempt(() => show(summary)));
  remove.addEventListener("click", () => attempt(async () => {
    await request(`v1/conversations/${summary.id}`, { method: "DELETE" });
    if (summary.id === current) begin();
    item.remove();
    if (list.children.length === 0) await fill();
  }));
  item.append(name, remove);
  return item;
}

async function attempt(work) {
  const problem = document.getElementById("history-problem");
  problem.textContent = "";
  try {
    await work();
  } catch (error) {
    problem.textContent = error.message;
  }
}

// The rows of a page; the button holds where the next one begins.
async function load(query) {
  const { conversations, next } = await (await request(`v1/conversations${query}`)).json();
  more.value = next ?? "";
  more.hidden = next === null;
  return conversations.map(row);
}

async function fill() {
  const rows = await load("");
  list.replaceChildren(...rows);
  document.getElementById("history-empty").hidden = rows.length > 0;
}

async function goOn() {
  more.disabled = true;
  const rows = await load(`?${new URLSearchParams({ before: more.value })}`).finally(() => {
    more.disabled = false;
    more.focus(); // a button that is disabled loses it
  });
  list.append(...rows);
  rows[0]?.querySelector(".title").focus();
}

async function offerHistory() {
  const response = await fetch("v1/conversations?limit=1").catch(() => null);
  if (!response?.ok) return;
  current = newId();
  open.hidden = false;
}

open.addEventListener("click", async () => {
  dialog.showModal();
  await attempt(fill);
});
more.addEventListener("click", () => attempt(goOn));
document.getElementById("history-new").addEventListener("click", () => {
  begin();
  dialog.close();
  document.getElementById("question").focus();
});
document.getElementById("history-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // the backdrop belongs to the dialog
});
