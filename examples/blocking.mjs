// Makes Node wait until a pipe has taken what is written to it. Without this, what a slow reader has not
// taken piles up in memory while the component runs, and is lost when `jco run` exits.
//
//     JCO_RUN_ARGS=--import=./blocking.mjs npx jco run COMPONENT …
//
// Node has no public name for it. Files and terminals wait as they are, and so does Deno; Bun never does.
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
