// The run: how far it is, what came up, what failed, and the report.
import { byId, count, counted, element, time } from "./element.js";
import { end as endLine, line, reason } from "./report.js";

/** Failures shown; the report has all of them. */
const SHOWN = 200;

/** The rate is that of the last so many milliseconds. */
const WINDOW_MS = 10_000;

/** Shows one run. */
export class RunView {
  #expected;
  #lines = [];
  #failed = 0;
  #samples = [];
  #notes = new Set();

  /** `expected` is how many versions a preview has shown, if there was one. */
  constructor(target, expected) {
    this.#expected = expected;
    this.#lead(`Triggering ${target}…`);
    byId("failure-rows").replaceChildren();
    byId("notes").replaceChildren();
    for (const id of ["notes", "failures", "failures-more", "report-line"]) byId(id).hidden = true;
    URL.revokeObjectURL(byId("report").href);
    byId("bar").removeAttribute("value");
    byId("numbers").replaceChildren();
    byId("run-area").hidden = false;
  }

  /** The numbers so far. Returns how far the run is, in words. */
  progress(summary) {
    const done = doneOf(summary);
    const rate = this.#rate(summary.triggered);
    const all = Math.max(summary.total, this.#expected ?? 0);
    if (all > 0) Object.assign(byId("bar"), { max: all, value: done });
    const left = this.#expected && rate > 0 ? (all - done) / rate : undefined;
    this.#numbers(summary, [
      ["Versions a second", count(Math.round(rate))],
      ["Time", time(summary.duration / 1e9)],
      ...(left === undefined ? [] : [["Time left", time(left)]]),
    ]);
    return `${count(done)} of ${all > summary.total ? "" : "at least "}${count(all)} versions done, ${count(summary.failed)} failed`;
  }

  /** Versions that were not triggered. */
  versions(events) {
    for (const event of events) {
      this.#lines.push(`${line(event)}\n`);
      if (event.kind === "failed") this.#fail(event);
    }
  }

  /** What came up about the server's queue. */
  notes(notes) {
    for (const note of notes) this.#notes.add(said(note));
    byId("notes").replaceChildren(...[...this.#notes].map((text) => element("li", {}, text)));
    byId("notes").hidden = this.#notes.size === 0;
  }

  /** The end, with its numbers. Returns it in words. */
  end(summary) {
    const whole = summary.state === "complete";
    const good = whole && summary.failed === 0;
    const text = `${ENDS[summary.state]} ${counted(summary.triggered, "version")} triggered, ${count(summary.failed)} failed, after ${time(summary.duration / 1e9)}.`;
    this.#lead(text, good ? "good" : whole || summary.state === "stopped" ? undefined : "bad");
    const all = Math.max(summary.total, 1);
    Object.assign(byId("bar"), { max: all, value: whole ? all : doneOf(summary) });
    const seconds = summary.duration / 1e9;
    const average = seconds > 0 ? Math.round(summary.triggered / seconds) : 0;
    this.#numbers(summary, [["Versions a second", count(average)], ["Time", time(seconds)]]);
    const report = new Blob([...this.#lines, `${endLine(summary)}\n`], { type: "application/jsonl" });
    const date = new Date().toISOString().slice(0, 19).replaceAll(":", "");
    byId("report").href = URL.createObjectURL(report);
    byId("report").download = `resync-${date}.jsonl`;
    byId("report-line").hidden = false;
    return text;
  }

  /** It did not begin. */
  nothing() {
    byId("run-area").hidden = true;
  }

  #lead(text, kind) {
    byId("run-lead").textContent = text;
    byId("run-lead").className = kind ?? "";
  }

  #rate(triggered) {
    const now = performance.now();
    this.#samples.push([now, triggered]);
    while (this.#samples.length > 2 && this.#samples[0][0] < now - WINDOW_MS) this.#samples.shift();
    const [then, before] = this.#samples[0];
    return now > then ? ((triggered - before) * 1000) / (now - then) : 0;
  }

  #numbers(summary, more) {
    const some = (name, value) => (value > 0 ? [[name, count(value)]] : []);
    const rows = [
      [summary.state === "complete" ? "Versions" : "Listed so far", count(summary.total)],
      ["Triggered", count(summary.triggered)],
      ["Failed", count(summary.failed), summary.failed > 0 ? "bad" : undefined],
      ...some("Gone", summary.vanished),
      ...some("Gone here only", summary.elsewhere),
      ...some("Replicated before", summary.replicated),
      ...some("Not reached", summary.notReached),
      ...some("Left the queue", summary.dequeued ?? 0),
      ...some("Left out by a filter", summary.filtered),
      ...some("Tried again", summary.retries),
      ...more,
    ];
    const cells = rows.map(([name, value, kind]) =>
      element("div", {}, element("dt", {}, name), element("dd", { class: kind }, value)),
    );
    byId("numbers").replaceChildren(...cells);
  }

  #fail({ key, versionId, error, attempts }) {
    this.#failed += 1;
    byId("failures").hidden = false;
    byId("failures-title").textContent = counted(this.#failed, "failure");
    if (this.#failed > SHOWN) {
      byId("failures-more").hidden = false;
      byId("failures-more").textContent = `The first ${SHOWN} are shown; the report has them all.`;
      return;
    }
    const row = [
      element("th", { scope: "row" }, key),
      element("td", {}, reason(error)),
      element("td", { class: "id" }, versionId),
      element("td", { class: "number" }, count(attempts)),
    ];
    byId("failure-rows").append(element("tr", {}, ...row));
  }
}

const ENDS = {
  complete: "Done.",
  incomplete: "The backlog could not be listed to its end.",
  refused: "The run has ended before its end.",
  stopped: "Stopped.",
};

const doneOf = ({ triggered, failed, vanished, elsewhere, replicated }) =>
  triggered + failed + vanished + elsewhere + replicated;

/** A note as a sentence. */
function said({ tag, val }) {
  switch (tag) {
    case "no-counters":
      return `What waits in the server's queue cannot be counted (${reason(val)}); the backlog is looked at instead.`;
    case "unbounded":
      return `What waits in the server's queue cannot be counted (${reason(val)}); nothing bounds it but the rate.`;
    case "counters-restarted":
      return "A server has started anew or cannot be reached, and may have forgotten what it had queued: run this again at the end.";
    default:
      return `Nothing has left the server's queue for a minute; ${count(Number(val.waiting))} versions wait. The target may be down.`;
  }
}
