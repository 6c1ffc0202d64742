// What the user has entered, checked, and as the component takes it.

const UNITS = { minutes: 60, hours: 3_600, days: 86_400 };

/** Thrown with the field that it is about. */
export class Mistake extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** Reads the form: `{ server, words, options, target }`. Throws a `Mistake` about what cannot be used. */
export function read(form) {
  const field = (name) => form.elements[name];
  const text = (name) => field(name).value.trim();
  const number = (name, least, most) => {
    const given = text(name);
    if (given === "") return undefined;
    const value = Number(given);
    if (!(value >= least && value <= most)) {
      throw new Mistake(field(name), `A number from ${least} to ${most.toLocaleString("en")}.`);
    }
    return value;
  };
  const age = (name) => {
    const value = number(name, 0, 1_000_000);
    return value === undefined ? undefined : Math.round(value * UNITS[text(`${name}-unit`)]);
  };
  const server = serverOf(field, text);
  const bucket = text("bucket");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new Mistake(field("bucket"), "The name of a bucket: 3 to 63 small letters, digits, dots and dashes.");
  }
  // Blanks are a part of a key.
  const prefix = field("prefix").value.replace(/^\//, "");
  const arn = text("arn") || undefined;
  const filter = {
    olderThan: age("older"),
    newerThan: age("newer"),
    status: text("status") || undefined,
    operation: text("operation") || undefined,
  };
  const options = {
    endpoint: server.endpoint,
    region: server.region,
    bucket,
    prefix,
    arn,
    filter,
    mode: "trigger",
    concurrent: number("concurrent", 1, 1000) ?? 6,
    rateLimit: number("rate", 0.001, 1_000_000),
    maxQueue: BigInt(Math.trunc(number("queue", 0, 1_000_000_000) ?? 100_000)),
  };
  const only = { put: "puts", delete: "deletes", purge: "purges" };
  const words = [
    `--summary=${text("depth")}`,
    ...(arn ? [`--arn=${arn}`] : []),
    ...(filter.olderThan === undefined ? [] : [`--older-than=${filter.olderThan}s`]),
    ...(filter.newerThan === undefined ? [] : [`--newer-than=${filter.newerThan}s`]),
    ...(filter.status ? [`--status=${filter.status.toUpperCase()}`] : []),
    ...(filter.operation ? [`--only=${only[filter.operation]}`] : []),
    ...(options.rateLimit ? [`--rate-limit=${options.rateLimit}`] : []),
    "--",
    `page/${bucket}/${prefix}`,
  ];
  return { server, words, options, target: `${bucket}/${prefix}` };
}

function serverOf(field, text) {
  let url;
  try {
    url = new URL(text("endpoint"));
  } catch {
    throw new Mistake(field("endpoint"), "A URL such as https://minio.example.net:9000.");
  }
  if (!["http:", "https:"].includes(url.protocol)) {
    throw new Mistake(field("endpoint"), "A URL that begins with http:// or https://.");
  }
  if (url.username || url.password) {
    throw new Mistake(field("endpoint"), "Without keys: they have fields of their own.");
  }
  if (url.pathname !== "/" || url.search || url.hash) {
    throw new Mistake(field("endpoint"), "Only scheme, host and port, without a path.");
  }
  if (location.protocol === "https:" && url.protocol === "http:" && !isLocal(url.hostname)) {
    const why = "This page came by https, and browsers then ask no server by http.";
    throw new Mistake(field("endpoint"), `${why} Give the server a certificate, or open the page by http.`);
  }
  const [accessKey, secretKey] = [text("access"), text("secret")];
  if (!accessKey !== !secretKey) {
    throw new Mistake(field(accessKey ? "secret" : "access"), "An access key has a secret key, and none has none.");
  }
  const keys = accessKey ? { accessKey, secretKey, sessionToken: text("token") || undefined } : undefined;
  return { endpoint: url.origin, keys, region: text("region") || undefined };
}

const isLocal = (host) => /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(host);
