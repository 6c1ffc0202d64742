// Does with the page what a user does: drive.mjs BROWSER FOLDER TASKS
//
// FOLDER is the page, served from an origin of its own unless a task names the URL of a page. TASKS is a list of
// records as JSON, each for a tab of its own; what stands in one is done, in the order of `STEPS`. Prints what was
// seen of each as one line of JSON.
import { createServer } from "node:http";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import puppeteer from "puppeteer-core";

const [name, folder, given] = process.argv.slice(2);
const tasks = JSON.parse(given);
let task, seen, page;

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

/** A static host of the least kind: it knows four types and sets no other header. */
async function host() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://any").pathname));
    const file = join(folder, path === "/" ? "index.html" : path);
    try {
      const body = await readFile(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const downloads = await mkdtemp(join(tmpdir(), "report-"));

const launched = {
  chromium: {
    executablePath: "/usr/bin/chromium",
    // Root, as in a container, gets no sandbox of Chromium's.
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  },
  firefox: {
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    extraPrefsFirefox: {
      "browser.download.dir": downloads,
      "browser.download.folderList": 2,
      "layout.css.prefers-color-scheme.content-override": tasks.some(({ dark }) => dark) ? 0 : 1,
    },
  },
};

const server = await host();
const downloadBehavior = { policy: "allow", downloadPath: downloads };
const browser = await puppeteer.launch({ headless: true, downloadBehavior, ...launched[name] });

async function tab() {
  seen = { methods: {}, console: [] };
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(task.endpoint ?? "-") || request.url().includes("/page/")) return;
    const method = request.method();
    seen.methods[method] = (seen.methods[method] ?? 0) + 1;
  });
}

const text = (selector) => page.$eval(selector, (found) => (found.hidden ? "" : found.textContent));
const idle = () => page.waitForFunction(() => document.querySelector("#stop").hidden);
const focused = () => page.evaluate(() => document.activeElement.id);
const rows = (selector) =>
  page.$$eval(selector, (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));

/** Looks for what a screen reader or a weak eye stumbles over, and takes a picture where one is wanted. */
async function look(at) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  const wrong = found.violations.map(({ id, nodes }) => `${at}: ${id}: ${nodes.map((n) => n.target).join(" ")}`);
  (seen.wrong ??= []).push(...wrong);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wide) seen.wrong.push(`${at}: wider than the window`);
  if (task.pictures) await page.screenshot({ path: `${task.pictures}-${at}.png`, fullPage: true });
}

/** What the link to the report gives. */
async function downloaded() {
  await page.click("#report");
  for (let waits = 0; waits < 100; waits += 1) {
    const whole = (await readdir(downloads)).find((file) => file.endsWith(".jsonl"));
    const text = whole ? await readFile(join(downloads, whole), "utf8") : "";
    if (text.endsWith("\n")) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("no report was downloaded");
}

const STEPS = {
  async width(width) {
    await page.setViewport({ width, height: 900 });
  },
  async dark() {
    if (name === "chromium") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  },
  /** Takes away what older browsers do not have. */
  async without(member) {
    await page.evaluateOnNewDocument((member) => delete WebAssembly[member], member);
  },
  async open(url) {
    const own = `http://127.0.0.1:${server.address().port}/`;
    await page.goto(url === true ? own : url);
    seen.unable = await text("#unable");
    seen.disabled = await page.$eval("#preview", (button) => button.disabled);
    seen.prefilled = await page.$eval("#endpoint", (field) => field.value);
  },
  /** An inline script, as one that got into the page by a name of an object. */
  async inject() {
    seen.injected = await page.evaluate(() => {
      try {
        const script = document.createElement("script");
        script.textContent = "globalThis.injected = true";
        document.body.append(script);
      } catch {
        // Trusted Types are stricter still.
      }
      return globalThis.injected === true;
    });
  },
  async fill(fields) {
    await page.$$eval("details", (all) => all.forEach((part) => (part.open = true)));
    for (const [name, value] of Object.entries(fields)) {
      await page.$eval(`[name="${name}"]`, (field) => (field.value = ""));
      const kind = await page.$eval(`[name="${name}"]`, (field) => field.tagName);
      if (kind === "SELECT") await page.select(`[name="${name}"]`, value);
      else await page.type(`[name="${name}"]`, value);
    }
    await page.$$eval("details", (all) => all.forEach((part) => (part.open = false)));
  },
  /** Nothing but keys: from the top of the page to the preview. */
  async keys(words) {
    const type = async (id, word) => {
      for (let presses = 0; (await focused()) !== id; presses += 1) {
        if (presses > 40) throw new Error(`${id} is not reached by the tab key`);
        await page.keyboard.press("Tab");
      }
      if (word) await page.keyboard.type(word);
    };
    for (const [id, word] of words) await type(id, word);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#preview-tables table");
    seen.lead = await text("#preview-lead");
    seen.focused = [await focused()];
    await page.keyboard.down("Shift");
    await type("start");
    await page.keyboard.up("Shift");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#confirm[open]");
    // A key that was held answers nothing; the first answer is no.
    await page.keyboard.press("Enter");
    seen.focused.push(await focused());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#confirm:not([open])");
    seen.focused.push(await focused());
    seen.started = !(await page.$eval("#run-area", (area) => area.hidden));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#confirm[open]");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#run-lead").textContent.includes("triggered"));
    seen.end = await text("#run-lead");
    seen.said = await text("#status-line");
  },
  async look_first() {
    await look("entries");
  },
  async preview() {
    const began = Date.now();
    await page.click("#preview");
    await idle();
    seen.took = Date.now() - began;
    seen.lead = await text("#preview-lead");
    seen.failure = await text("#failure");
    seen.mistake = (await page.$(".mistake")) ? await text(".mistake") : "";
    seen.tables = await page.$$eval("#preview-tables table", (tables) =>
      tables.map((table) => [
        table.caption.textContent,
        ...[...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)),
      ]),
    );
    seen.focused = await focused();
    if (task.looks) await look("preview");
  },
  async run() {
    await page.click("#start");
    await page.waitForSelector("#confirm[open]");
    seen.asked = await text("#confirm-text");
    if (task.looks) await look("question");
    await page.click("#confirm button[value=yes]");
    await page.waitForFunction(() => !document.querySelector("#stop").hidden);
  },
  /** Stops when so many versions are triggered. */
  async stop(after) {
    await page.waitForFunction((after) => {
      const numbers = [...document.querySelectorAll("#numbers div")];
      const triggered = numbers.find((each) => each.textContent.startsWith("Triggered"));
      return triggered && Number(triggered.querySelector("dd").textContent.replace(",", "")) >= after;
    }, {}, after);
    if (task.looks) await look("running");
    await page.click("#stop");
  },
  async end() {
    await idle();
    seen.end = await text("#run-lead");
    seen.failure = await text("#failure");
    seen.numbers = Object.fromEntries(
      await page.$$eval("#numbers div", (all) =>
        all.map((each) => [each.querySelector("dt").textContent, each.querySelector("dd").textContent]),
      ),
    );
    seen.failures = await rows("#failure-rows tr");
    seen.notes = await text("#notes");
    if (task.report) seen.report = await downloaded();
    if (task.looks) await look("end");
  },
};

for (task of tasks) {
  await tab();
  try {
    for (const [step, does] of Object.entries(STEPS)) {
      if (task[step] !== undefined) await does(task[step]);
    }
  } catch (error) {
    seen.error = String(error?.stack ?? error);
  }
  console.log(JSON.stringify(seen));
  await page.close({ runBeforeUnload: false });
}
await browser.close();
await rm(downloads, { recursive: true });
server.close();
