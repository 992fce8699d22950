// Whether an answer was right, told to the service under the answer's trace.
import { announce } from "./turn.js";

async function send(body) {
  const response = await fetch("v1/feedback", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
}

export function offerFeedback(turn, answer) {
  const form = turn.querySelector(".feedback");
  const comment = form.querySelector(".comment");
  const status = form.querySelector(".status");
  const rating = (value) => form.querySelector(`[value=${value}]`);

  async function tell(value, text) {
    try {
      await send({ trace_id: answer.trace_id, rating: value, ...(text && { comment: text }) });
      status.textContent = "Thank you.";
    } catch (error) {
      status.textContent = `That was not recorded: ${error.message}`;
    }
    announce(status.textContent);
  }

  for (const value of ["up", "down"]) {
    rating(value).addEventListener("click", () => {
      rating("up").setAttribute("aria-pressed", String(value === "up"));
      rating("down").setAttribute("aria-pressed", String(value === "down"));
      comment.hidden = value === "up";
      tell(value, "");
      if (value === "down") comment.querySelector("input").focus();
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tell("down", comment.querySelector("input").value.trim());
    comment.hidden = true;
  });
  form.hidden = false;
}
