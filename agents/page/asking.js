// Asks the service, and shows what it streams.
import { readEvents } from "./events.js";
import { offerFeedback } from "./feedback.js";
import { conversation } from "./history.js";
import { post } from "./requests.js";
import { Stages } from "./stages.js";
import { announce, newTurn, offerAgain, showEnd, showSentence } from "./turn.js";

const send = document.getElementById("send");
const examples = document.getElementById("examples");

// What an event adds to its stage in the timeline.
const REMARKS = {
  knowledge_verified: ({ generation, freshness }) => freshness.stale ? `stale: ${freshness.reason}` : `generation ${generation} is fresh`,
  passages_found: ({ passages }) => `${passages.length} passages`,
  relevancy_judged: ({ relevancy, judgement, threshold }) => `${judgement}: relevancy ${relevancy.toFixed(2)}, needed ${threshold.toFixed(2)}`,
  web_searched: ({ addresses }) => `${addresses.length} web pages`,
  sentence_dropped: ({ reason }) => `a sentence was dropped: ${reason}`,
  correction_begun: ({ attempt, reason }) => `attempt ${attempt + 1}, because ${reason}`,
};

const BROKE_OFF = "The answer broke off.";

// Of the question that is being answered: there is one at a time, and one button that stops it.
let running = null;

export const isAsking = () => running !== null;

export function stop() {
  running?.abort();
}

function showAsking() {
  send.textContent = isAsking() ? "Stop" : "Ask";
  send.classList.toggle("stop", isAsking());
  for (const retry of document.querySelectorAll(".retry")) retry.disabled = isAsking();
}

async function follow(turn, response) {
  const stages = new Stages(turn);
  const citations = new Map();
  let quoting = false;
  for await (const { name, data } of readEvents(response.body)) {
    if (name === "state_entered") {
      stages.enter(data.state, data.at_ms);
      quoting = data.state === "quote";
    } else if (REMARKS[name]) {
      stages.remark(REMARKS[name](data));
    } else if (name === "citation_made") {
      citations.set(data.citation.number, data.citation);
    } else if (name === "sentence_released") {
      showSentence(turn, data.sentence, citations, quoting);
    } else if (name === "error") {
      throw new Error(data.error.message);
    } else if (name === "done") {
      showEnd(turn, data.answer);
      stages.showTimeline(data.answer);
      offerFeedback(turn, data.answer);
      return;
    }
  }
  throw new Error(BROKE_OFF);
}

export async function ask(text) {
  examples.hidden = true;
  const turn = newTurn(text);
  const mine = new AbortController();
  running = mine;
  showAsking();
  announce("Looking for an answer.");
  try {
    const kept = await conversation();
    const question = { question: text, ...(kept && { conversation_id: kept }) };
    const streamed = { headers: { accept: "text/event-stream" }, signal: mine.signal };
    await follow(turn, await post("v1/ask", question, streamed));
  } catch (error) {
    if (mine.signal.aborted) {
      offerAgain(turn, "stopped", "You stopped this answer.", () => ask(text));
    } else {
      // The connection was lost while the answer came.
      const message = error instanceof TypeError ? BROKE_OFF : error.message;
      offerAgain(turn, "failed", `No answer: ${message}`, () => ask(text));
    }
  } finally {
    running = null;
    showAsking();
  }
}
