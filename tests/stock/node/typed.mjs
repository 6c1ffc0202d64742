// Drives the typed interface of a transpiled component: typed.mjs OPTIONS STOP-AFTER
//
// OPTIONS is a record as JSON. Prints every event and note, then the failure if there is one, then
// the summary, each as one line of JSON; calls `stop` when STOP-AFTER events have come.
import { resync } from "./component/resync.js";

function renamed(value, rename) {
  if (!(value instanceof Object)) return value;
  if (Array.isArray(value)) return value.map((member) => renamed(member, rename));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [rename(name), renamed(member, rename)]),
  );
}
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** As JSON with the names of WIT; a variant, here `{ tag, val }`, becomes `{ [tag]: val }`. */
function plain(value) {
  if (typeof value === "bigint") return Number(value);
  if (!(value instanceof Object)) return value ?? null;
  if ("tag" in value) return { [value.tag]: plain(value.val) };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [kebab(name), plain(member)]));
}
const tell = (line) => console.log(JSON.stringify(line));

const stopAfter = Number(process.argv[3]);
let job;
try {
  const options = renamed(JSON.parse(process.argv[2]), camel);
  // A u64 is a bigint, of which JSON has none.
  if (options.maxQueue !== null) options.maxQueue = BigInt(options.maxQueue);
  job = resync.Job.start(options);
  let come = 0;
  for (let events; (events = await job.next(500)).length > 0; ) {
    for (const event of events) tell({ event: plain(event) });
    for (const note of job.notes()) tell({ note: plain(note) });
    come += events.length;
    if (stopAfter > 0 && come >= stopAfter) job.stop();
  }
} catch (error) {
  if (!error.payload) throw error;
  tell({ failure: plain(error.payload) });
  process.exitCode = job ? 0 : 1;
}
if (job) tell({ summary: plain(job.summary()) });
// jco's shim over `fetch` keeps timers that nobody waits for any more. A slow reader gets all.
process.stdout.write("", () => process.exit());
