// The page: takes the entries, starts a worker for each preview and each run, and shows what it tells.
import { byId, counted, element } from "./element.js";
import { Mistake, read } from "./entry.js";
import { begin, show } from "./preview.js";
import { RunView } from "./run.js";

const form = byId("form");

/** How often a screen reader is told how far a run is, in milliseconds. */
const SAY_MS = 10_000;

/** How long a stop waits for the answers under way before the worker is ended, in milliseconds. */
const STOP_MS = 15_000;

/** What the worker is made of. A browser asks what a string is good for before it runs it (Trusted Types). */
const policy = globalThis.trustedTypes?.createPolicy("worker", {
  createScriptURL: (url) => url,
});

/** The job under way, and what a preview has shown of which target. */
let job;
let known;

function newWorker() {
  // A worker from a blob keeps to the policy of this page.
  const source = `import ${JSON.stringify(new URL("worker.js", location.href).href)};`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Worker(policy ? policy.createScriptURL(url) : url, { type: "module" });
}

/** Why this browser, or the way this page came, cannot do it. */
function unable() {
  if (!("Suspending" in WebAssembly)) {
    return "This browser cannot suspend WebAssembly (JSPI), which the component needs while it waits for the server. Chrome and Edge can from version 137 on, and Firefox from 153 on; in any other, run mc-wasi.";
  }
  if (!globalThis.crypto?.subtle) {
    return `This page came from ${location.origin} without TLS, and browsers let such a page not sign (WebCrypto). Open it by https, or from localhost.`;
  }
  return undefined;
}

function fail({ title, text }) {
  const box = byId("failure");
  box.replaceChildren(element("strong", {}, title), element("p", {}, text));
  box.hidden = false;
  box.focus();
}

const say = (text) => (byId("status-line").textContent = text);

/** Reads the form, and shows what is wrong with it where it is. */
function entries() {
  for (const note of form.querySelectorAll(".mistake")) note.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", field.dataset.described ?? "");
  }
  byId("failure").hidden = true;
  try {
    return read(form);
  } catch (mistake) {
    if (!(mistake instanceof Mistake)) throw mistake;
    const { field, message } = mistake;
    const id = `${field.id}-mistake`;
    field.dataset.described = field.getAttribute("aria-describedby") ?? "";
    field.setAttribute("aria-describedby", `${id} ${field.dataset.described}`.trim());
    field.setAttribute("aria-invalid", "true");
    field.closest(".field").append(element("p", { class: "mistake", id }, message));
    for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    field.focus();
    return undefined;
  }
}

function start(what, entered, on) {
  const worker = newWorker();
  job = { what, worker };
  busy(true);
  const { server, words, options } = entered;
  const told = ({ data }) => {
    if (data.ready) worker.postMessage({ what, server, words, options });
    for (const [kind, value] of Object.entries(data)) {
      if (value !== undefined) on[kind]?.(value);
    }
    if (data.end) finish();
  };
  worker.addEventListener("message", told);
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    const missing = "Are component/ and shim/ beside the page? `cargo xtask web` makes them.";
    fail({ title: "The component does not start.", text: event.message || missing });
    on.crash?.();
    finish();
  });
}

function finish() {
  job?.worker.terminate();
  clearTimeout(job?.late);
  job = undefined;
  busy(false);
}

function busy(is) {
  for (const id of ["preview", "start"]) byId(id).disabled = is;
  byId("stop").hidden = !is;
  byId("stop").disabled = false;
  form.setAttribute("aria-busy", String(is));
}

function preview() {
  const entered = entries();
  if (!entered) return;
  known = undefined;
  begin(entered.target);
  say("Listing the backlog…");
  byId("stop").textContent = "Cancel";
  // Not to a button: a key that is held would press it.
  byId("preview-title").focus();
  start("preview", entered, {
    preview(object) {
      known = { of: entered.words.slice(1).join("\n"), total: object.total };
      show(object, entered.target);
      say(byId("preview-lead").textContent);
    },
    failure(failure) {
      byId("preview-area").hidden = known === undefined;
      failed(failure, entered);
    },
  });
}

async function trigger() {
  const entered = entries();
  if (!entered) return;
  const expected = known?.of === entered.words.slice(1).join("\n") ? known.total : undefined;
  if (!(await confirmed(entered, expected))) return;
  const view = new RunView(entered.target, expected);
  let saidAt = performance.now();
  byId("run-title").focus();
  byId("stop").textContent = "Stop";
  say(`Triggering ${entered.target}`);
  start("run", entered, {
    versions: (events) => view.versions(events),
    notes: (notes) => view.notes(notes),
    progress(summary) {
      const words = view.progress(summary);
      if (performance.now() - saidAt < SAY_MS) return;
      saidAt = performance.now();
      say(words);
    },
    failure: (failure) => failed(failure, entered),
    end(summary) {
      if (summary === true) view.nothing();
      else say(view.end(summary));
      // What it has triggered is no longer in the backlog.
      known = undefined;
    },
    crash: () => view.nothing(),
  });
}

/** Asks before anything is triggered. */
function confirmed({ target, server, options }, expected) {
  const dialog = byId("confirm");
  const filtered = options.arn || Object.values(options.filter).some((value) => value !== undefined);
  const what =
    expected === undefined
      ? `${filtered ? "The chosen versions" : "All versions"} in the backlog of ${target} on ${server.endpoint}. No preview has shown how many these are.`
      : `${counted(expected, "version")} in the backlog of ${target} on ${server.endpoint}.`;
  byId("confirm-text").textContent = what;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Shows why it failed, and what a browser leaves out of that. */
function failed({ title, text }, { server }) {
  say("");
  const { hostname, protocol } = new URL(server.endpoint);
  const fetched = /Failed to fetch|NetworkError|Load failed/.test(text);
  const secure = protocol === "https:" ? ", its certificate is of an authority that this browser does not know" : "";
  const why = fetched
    ? ` The browser does not say which. Mostly nobody listens at that host and port${secure}, or something in front of the server leaves out its CORS headers; this page comes from ${location.origin}. Open ${protocol}//${hostname} in a tab, or look at the console of the browser.`
    : "";
  fail({ title, text: text + why });
}

function stop() {
  if (job?.what === "preview") {
    say("Cancelled.");
    finish();
    byId("preview-area").hidden = true;
    byId("preview").focus();
    return;
  }
  byId("stop").disabled = true;
  byId("stop").textContent = "Stopping…";
  say("Stopping: answers under way are waited for.");
  job?.worker.postMessage({ stop: true });
  job.late = setTimeout(() => {
    fail({ title: "The run did not stop in time and was ended.", text: "What was under way may have been triggered." });
    finish();
  }, STOP_MS);
}

/** `#endpoint=…&bucket=…&prefix=…` fills in what is no secret. */
function prefill() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["endpoint", "bucket", "prefix"]) {
    if (given.has(name)) form.elements[name].value = given.get(name);
  }
  // From a bucket of the server itself, that is the server.
  if (!form.elements.endpoint.value && /^\/[^/]+\/.*index\.html$/.test(location.pathname)) {
    form.elements.endpoint.value = location.origin;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!job) preview();
});
byId("start").addEventListener("click", trigger);
byId("stop").addEventListener("click", stop);
addEventListener("beforeunload", (event) => {
  if (job?.what === "run") event.preventDefault();
});

prefill();
const reason = unable();
if (reason) {
  byId("unable").textContent = reason;
  byId("unable").hidden = false;
  for (const id of ["preview", "start"]) byId(id).disabled = true;
}
