// Makes Node wait until a pipe has taken what is written to it. Without it, what a slow reader has not
// taken piles up in memory while the component runs, and `jco run` exits without it.
//
//     JCO_RUN_ARGS=--import=./blocking.mjs npx jco run COMPONENT …
//
// Node has no public name for it. Files and terminals wait as they are, and so does Deno; Bun never does.
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
