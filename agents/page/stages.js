// The stages of an answer: one chip each while it comes about, a timeline once it is there.
const LABELS = {
  verify: "Verify",
  retrieve: "Search",
  judge: "Judge",
  supplement: "Web",
  search_web: "Web",
  answer: "Write",
  check: "Check",
  correct: "Correct",
  quote: "Quote",
  abstain: "Abstain",
};

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;

export class Stages {
  constructor(turn) {
    this.turn = turn;
    this.chips = new Map();
    this.entered = [];
    this.remarks = new Map();
  }

  enter(state, atMs) {
    const label = LABELS[state] ?? state.replaceAll("_", " ");
    this.close();
    this.entered.push({ label, atMs });
    if (!this.chips.has(label)) {
      const chip = document.createElement("li");
      chip.textContent = label;
      this.chips.set(label, chip);
      this.turn.querySelector(".stages").append(chip);
    }
    this.chips.get(label).className = "now";
  }

  close() {
    this.chips.forEach((chip) => (chip.className = "past"));
  }

  remark(text) {
    const label = this.entered.at(-1)?.label;
    if (label) this.remarks.set(label, [...(this.remarks.get(label) ?? []), text]);
  }

  showTimeline(answer) {
    this.close();
    const total = Math.max(answer.timings_ms.total, 1);
    const rows = new Map();
    for (const [index, { label, atMs }] of this.entered.entries()) {
      const until = this.entered[index + 1]?.atMs ?? total;
      rows.set(label, [...(rows.get(label) ?? []), { from: atMs, until }]);
    }
    this.unfold(answer, [...rows].map(([label, spans]) => this.row(label, spans, total)));
  }

  // Of an earlier answer the route is known, and not what its events said.
  showRoute(answer) {
    answer.route.forEach((state) => this.enter(state, 0));
    this.close();
    this.unfold(answer, []);
  }

  unfold(answer, rows) {
    const timeline = this.turn.querySelector(".timeline");
    timeline.querySelector("ol").replaceChildren(...rows);
    timeline.querySelector("summary").textContent = `How it came about, in ${seconds(answer.timings_ms.total)}`;
    timeline.querySelector(".trace").textContent = `Trace ${answer.trace_id}`;
    timeline.hidden = false;
  }

  row(label, spans, total) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = label;
    const track = document.createElement("span");
    track.className = "track";
    track.setAttribute("aria-hidden", "true");
    for (const { from, until } of spans) {
      const bar = document.createElement("span");
      bar.style.setProperty("left", `${(100 * from) / total}%`);
      bar.style.setProperty("width", `${(100 * (until - from)) / total}%`);
      track.append(bar);
    }
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = seconds(spans.reduce((sum, { from, until }) => sum + until - from, 0));
    row.append(name, track, time);
    for (const text of new Set(this.remarks.get(label))) {
      const remark = document.createElement("span");
      remark.className = "remark";
      remark.textContent = text;
      row.append(remark);
    }
    return row;
  }
}
