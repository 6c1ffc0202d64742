// Runs the component, one job in one worker: a preview with the command, a run with the typed interface.
//
// It says `{ ready }` once the component is there, for what comes before that is lost. It takes one
// `{ what, server, words, options }`, and later perhaps `{ stop: true }`. It tells `{ preview }`, or `{ progress }`,
// `{ notes }` and `{ versions }` as they come. What has an `end` is the last of it, with a `failure` if there is one.
import { Gate } from "./gate.js";
import { open } from "./http.js";
import { _setArgs, _setEnv, _setStderr, _setStdout } from "./shim/cli.js";
import { resync, run } from "./component/resync.js";

/** Events taken at a time. Each time the page can say stop. */
const BATCH = 500;

/** How often the page is told how far a run is, in milliseconds. */
const TELL_MS = 250;

const ALIAS = "page";

let stopped = false;

addEventListener("message", async ({ data }) => {
  if (data.stop) {
    stopped = true;
    return;
  }
  try {
    open(new Gate(data.server));
    await (data.what === "preview" ? preview(data) : drive(data));
  } catch (error) {
    postMessage({ failure: { title: "The component has crashed.", text: error?.stack ?? JSON.stringify(error) }, end: true });
  }
});

postMessage({ ready: true });

/** The command with `--dry-run --summary`, whose output is one object. */
async function preview({ server, words }) {
  const out = collect();
  _setStdout(out);
  // The shim's own (0.26.1) fails when the component lets go of it.
  _setStderr(collect());
  const serves = server.keys ? { MC_WASI_SERVES: "signs" } : {};
  _setEnv({ [`MC_HOST_${ALIAS}`]: server.endpoint, ...serves });
  _setArgs(["mc", "replicate", "resync-backlog", "--dry-run", "--json", ...words]);
  try {
    await run.run();
  } catch (error) {
    // It has said why.
    if (!("payload" in error)) throw error;
  }
  const lines = out.text().split("\n").filter((line) => line !== "");
  const objects = lines.map((line) => JSON.parse(line));
  const wrong = objects.find(({ error }) => error)?.error;
  postMessage({
    preview: objects.find(({ type }) => type === "summary"),
    failure: wrong && told(wrong),
    end: true,
  });
}

const told = ({ message, cause }) => ({ title: sentence(message), text: sentence(cause?.message ?? "") });

const sentence = (text) => (text && !/[.:!?]$/.test(text) ? `${text}.` : text);

function collect() {
  const decoder = new TextDecoder();
  let text = "";
  return {
    write: (bytes) => void (text += decoder.decode(bytes, { stream: true })),
    blockingFlush() {},
    text: () => text,
  };
}

/** A job of the typed interface, to its end. */
async function drive({ options }) {
  const tell = teller();
  let job;
  try {
    job = resync.Job.start(options);
    for (;;) {
      if (stopped) job.stop();
      const events = await job.next(BATCH);
      const notes = job.notes();
      if (notes.length > 0) postMessage({ notes });
      if (events.length === 0) break;
      tell(job, events);
    }
    tell(job, [], true);
    postMessage({ end: plain(job.summary()) });
  } catch (error) {
    if (!error.payload) throw error;
    const { tag, val } = error.payload;
    const failure = { tag, title: TITLES[tag] ?? "The run has failed.", text: sentence(val.message ?? val) };
    if (job) tell(job, [], true);
    postMessage({ failure, end: job ? plain(job.summary()) : true });
  }
}

const TITLES = {
  "invalid-options": "An entry cannot be used.",
  unreachable: "The server does not answer.",
  untrusted: "The certificate of the server is not accepted.",
  denied: "The request is not allowed.",
  unauthorized: "The server refuses these keys.",
  server: "The server refuses.",
  incomplete: "The backlog could not be listed to its end.",
  refused: "The run has ended before its end.",
};

/** Tells the page how far it is, some times a second, and which versions did not go out. */
function teller() {
  let last = 0;
  let versions = [];
  return (job, events, now = false) => {
    for (const event of events) {
      if (!["triggered", "waiting"].includes(event.kind)) versions.push(event);
    }
    if (!now && performance.now() - last < TELL_MS) return;
    last = performance.now();
    if (versions.length > 0) postMessage({ versions });
    versions = [];
    postMessage({ progress: plain(job.summary()) });
  };
}

/** Numbers of 64 bits as numbers: none of these comes near 2^53. */
function plain(summary) {
  const entries = Object.entries(summary);
  return Object.fromEntries(entries.map(([k, v]) => [k, typeof v === "bigint" ? Number(v) : v]));
}
