// Questions to begin with: the headings of the knowledge base that are questions themselves.
import { post } from "./requests.js";

const MOST = 4;
const section = document.getElementById("examples");
const question = document.getElementById("question");

export async function showExamples() {
  const response = await post("v1/search", { query: "How do I start, and what happens then?", limit: 30 }).catch(() => null);
  if (response === null || document.querySelector(".turn")) return;
  const headings = (await response.json()).passages.map((passage) => passage.chunk.heading_path.at(-1) ?? "");
  const questions = [...new Set(headings.filter((heading) => heading.endsWith("?")))].slice(0, MOST);
  section.querySelector("ul").replaceChildren(...questions.map(example));
  section.hidden = questions.length === 0;
}

function example(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => {
    question.value = text;
    question.form.requestSubmit();
    question.focus();
  });
  const item = document.createElement("li");
  item.append(button);
  return item;
}
