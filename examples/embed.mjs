// Drives the job from Node, Deno or Bun: live progress from typed events, then the summary.
//
//     npm install @bytecodealliance/jco @bytecodealliance/preview2-shim
//     npx jco transpile COMPONENT --name resync -o component
//     ACCESS_KEY=… SECRET_KEY=… node embed.mjs http://127.0.0.1:9000 mybucket
import { resync } from "./component/resync.js";

const [endpoint, bucket] = process.argv.slice(2);
const { ACCESS_KEY: accessKey, SECRET_KEY: secretKey } = process.env;

/** A failure by its cause, `{ tag, val }`, in one line. */
const told = ({ tag, val }) => `${tag}: ${val.message ?? val}`;

async function run() {
  const job = resync.Job.start({
    endpoint,
    credentials: { accessKey, secretKey },
    bucket,
    prefix: "",
    mode: "trigger",
    concurrent: 10,
  });
  for (let events; (events = await job.next(500)).length > 0; ) {
    for (const event of events.filter(({ kind }) => kind === "failed")) {
      console.log(`${event.key}: ${event.error.tag}`);
    }
    console.error(`${job.summary().triggered} triggered`);
  }
  const { state, total, triggered, failed } = job.summary();
  console.log(`${state}: ${triggered} of ${total} triggered, ${failed} failed`);
  return state === "complete" && failed === 0n;
}

/** Ends when all is written. Left to itself, Node may wait for minutes for timers of jco's shim over `fetch`. */
const exit = (code) => process.stdout.write("", () => process.exit(code));

try {
  exit((await run()) ? 0 : 1);
} catch (error) {
  if (!error.payload) throw error;
  console.error(told(error.payload));
  exit(1);
}
