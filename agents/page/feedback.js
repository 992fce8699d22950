// Whether an answer was right, told to the service under the answer's trace.
import { post } from "./requests.js";
import { announce } from "./turn.js";

export function offerFeedback(turn, answer) {
  const form = turn.querySelector(".feedback");
  const comment = form.querySelector(".comment");
  const status = form.querySelector(".status");
  const rating = (value) => form.querySelector(`[value=${value}]`);

  async function tell(value, text) {
    try {
      await post("v1/feedback", { trace_id: answer.trace_id, rating: value, ...(text && { comment: text }) });
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
