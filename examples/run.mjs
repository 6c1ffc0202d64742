// Runs the command in whatever runs JavaScript as Node does: Node, Deno, Bun.
//
//     npm install @bytecodealliance/jco @bytecodealliance/preview2-shim
//     npx jco transpile COMPONENT --name resync -o component
//     MC_HOST_myaistor=… deno run -A run.mjs replicate resync-backlog myaistor/mybucket --quiet --no-color
import "./blocking.mjs";
import { _setArgs } from "@bytecodealliance/preview2-shim/cli";
import { run } from "./component/resync.js";

// The name it goes by in messages, and the words.
_setArgs(["mc", ...process.argv.slice(2)]);
try {
  run.run();
} catch (error) {
  // It has said why.
  if (!("payload" in error)) throw error;
  process.exitCode = 1;
}
