// The versions that were not triggered, as lines of JSON: what `--json` prints of them, so that `--from` takes
// the file as it is and drives what has failed.

const OPERATIONS = { put: "PUT", delete: "DEL", purge: "purge" };

/** Why a version failed, in one sentence. */
export const reason = (error) => error?.val?.message ?? error?.val ?? "";

/** One line. */
export function line({ key, versionId, operation, replicationStatus, lastModified, attempts, kind, error }) {
  const status = replicationStatus === "EXISTING" ? "" : replicationStatus;
  return JSON.stringify({
    status: kind === "failed" ? "error" : "success",
    object: key,
    versionId,
    rStatus: operation === "purge" ? "" : status,
    ...(operation === "purge" ? { dStatus: status } : {}),
    lastModified,
    deletemarker: operation !== "put",
    operation: OPERATIONS[operation],
    outcome: kind,
    attempts,
    ...(error ? { error: why(key, error) } : {}),
  });
}

function why(key, { val }) {
  const message = `Unable to trigger replication of \`${key}\``;
  const server = val.code === undefined ? {} : { Code: val.code, RequestID: val.requestId };
  return { message, cause: { message: val.message ?? val, error: server }, type: "error" };
}

/** The last line: the numbers, by the names of docs/json.md. */
export function end({ state, total, triggered, failed, vanished, elsewhere, replicated, notReached, ...rest }) {
  const complete = state === "complete";
  return JSON.stringify({
    status: complete && failed === 0 ? "success" : "error",
    complete,
    dryRun: false,
    total,
    processed: triggered,
    failed,
    vanished,
    elsewhere,
    replicated,
    notReached,
    deleteMarkers: rest.deleteMarkers,
    purges: rest.purges,
    retries: rest.retries,
    listings: rest.listings,
    duration: rest.duration,
  });
}
