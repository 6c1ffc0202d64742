// The preview: a backlog by status, by target and by prefix, and each by age.
import { byId, count, counted, element, time } from "./element.js";

const AGES = [
  ["underHour", "under 1 hour"],
  ["underDay", "under 1 day"],
  ["underWeek", "under 1 week"],
  ["older", "older"],
  ["undated", "undated"],
];

const OPERATIONS = { PUT: "object versions", DEL: "delete markers", purge: "permanent deletions" };

/** Says that one is on its way. */
export function begin(target) {
  byId("preview-lead").textContent = `Listing the backlog of ${target}…`;
  byId("preview-tables").replaceChildren();
  byId("preview-area").hidden = false;
}

/** Shows the object of `--dry-run --summary`, as docs/json.md has it. */
export function show(preview, target) {
  const { total, complete, estimate, kinds, prefixes, others, exact } = preview;
  const lead = complete
    ? `${counted(total, "version")} of ${target} would be triggered.`
    : `At least ${counted(total, "version")} of ${target}: the listing did not reach its end.`;
  const takes = estimate ? ` At this rate that takes at least ${time(estimate / 1e9)}.` : "";
  byId("preview-lead").textContent = total > 0 ? lead + takes : `The backlog of ${target} is empty.`;
  const tables = [];
  if (total > 0) {
    tables.push(table("By status", "Status", kinds.map((kind) => [nameOf(kind), [kind]])));
    tables.push(byTarget(kinds));
    const rest = others ? [["all other prefixes", others.kinds]] : [];
    const rows = prefixes.map(({ prefix, kinds }) => [prefix || "(no prefix)", kinds]);
    const title = exact ? "By prefix" : "By prefix (a prefix may have more versions than shown here)";
    tables.push(table(title, "Prefix", [...rows, ...rest], total));
  }
  byId("preview-tables").replaceChildren(...tables);
  byId("arns").replaceChildren(...arnsOf(kinds).map((value) => element("option", { value })));
}

const nameOf = ({ status, operation }) => `${status}, ${OPERATIONS[operation] ?? operation}`;

const arnsOf = (kinds) => [...new Set(kinds.flatMap(({ targets }) => targets))].sort();

/** A version that waits for two targets counts at both, so that there is no sum. */
function byTarget(kinds) {
  const rows = arnsOf(kinds).map((arn) => [arn, kinds.filter(({ targets }) => targets.includes(arn))]);
  const unnamed = kinds.filter(({ targets }) => targets.length === 0);
  if (unnamed.length > 0) rows.push(["not named by the server", unnamed]);
  return table("By target", "Replication target", rows, null);
}

/** A table of kinds by age. The last row is the sum of all, unless `total` is null. */
function table(caption, first, rows, total) {
  const ages = AGES.filter(([age]) => rows.some(([, kinds]) => sum(kinds, age) > 0) || age !== "undated");
  // The sum comes first, where it is seen also on a narrow screen.
  const columns = [["total", "all"], ...ages];
  const cells = (kinds) => columns.map(([member]) => number(sum(kinds, member)));
  const head = [
    element("th", { scope: "col" }, first),
    ...columns.map(([, name]) => element("th", { scope: "col", class: "number" }, name)),
  ];
  const body = rows.map(([name, kinds]) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...cells(kinds)),
  );
  const all = rows.flatMap(([, kinds]) => kinds);
  const foot =
    total === null || rows.length < 2
      ? []
      : [element("tfoot", {}, element("tr", {}, element("th", { scope: "row" }, "all"), ...cells(all)))];
  const made = element(
    "table",
    { class: "ages" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
    ...foot,
  );
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, made);
}

const sum = (kinds, member) => kinds.reduce((all, kind) => all + kind[member], 0);

const number = (value) =>
  element("td", { class: value === 0 ? "number nothing" : "number" }, count(value));
