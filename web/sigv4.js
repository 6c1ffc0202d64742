// Signs requests (AWS signature version 4) with WebCrypto, as query or as headers.
//
// The component has no keys: it hands over what it wants to ask, unsigned, and this page signs it on its way
// out, as mc-wasi does. Paths and queries come percent-encoded, and are signed as they are.

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** What a body that is not signed is called. A presigned request never names its own. */
const UNSIGNED = "UNSIGNED-PAYLOAD";

/** For how long a presigned request is good. It goes out at once; the rest is for clocks that differ. */
const EXPIRES_S = 900;

const text = new TextEncoder();

const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** As the server encodes a value of a query before it compares signatures. */
const encoded = (value) =>
  encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const hmacKey = (raw) =>
  crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

const hmac = async (key, words) => crypto.subtle.sign("HMAC", key, text.encode(words));

/** Signs for one account. */
export class Signer {
  #keys;
  #region;
  #fixed;
  #derived = { scope: "", key: undefined };

  /** `region` is the user's choice, and stays; without it `us-east-1`, or what the server says it is. */
  constructor({ accessKey, secretKey, sessionToken, region }) {
    this.#keys = { accessKey, secretKey, sessionToken };
    this.#region = region || "us-east-1";
    this.#fixed = Boolean(region);
  }

  /** Takes the region that an answer names. */
  learn(region) {
    if (region && !this.#fixed) this.#region = region;
  }

  /** The URL with the signature in its query. A browser asks the server for no leave to send it. */
  async presigned(method, url, now = new Date()) {
    const { scope, date } = this.#scope(now);
    const { accessKey, sessionToken } = this.#keys;
    const query = [
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", `${accessKey}/${scope}`],
      ["X-Amz-Date", date],
      ["X-Amz-Expires", String(EXPIRES_S)],
      ...(sessionToken ? [["X-Amz-Security-Token", sessionToken]] : []),
      ["X-Amz-SignedHeaders", "host"],
    ].map(([name, value]) => `${name}=${encoded(value)}`);
    const all = [...pairs(url), ...query];
    const signature = await this.#sign(method, url, all, { host: url.host }, UNSIGNED, scope, date);
    return `${url.origin}${url.pathname}?${[...all, `X-Amz-Signature=${signature}`].join("&")}`;
  }

  /** The headers with a signature of a request without a body. The admin API takes no other. */
  async headers(method, url, now = new Date()) {
    const { scope, date } = this.#scope(now);
    const { accessKey, sessionToken } = this.#keys;
    const headers = { "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": date };
    if (sessionToken) headers["x-amz-security-token"] = sessionToken;
    const signed = { host: url.host, ...headers };
    const signature = await this.#sign(method, url, pairs(url), signed, EMPTY_SHA256, scope, date);
    const names = Object.keys(signed).sort().join(";");
    headers.authorization =
      `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return headers;
  }

  #scope(now) {
    const date = `${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    return { date, scope: `${date.slice(0, 8)}/${this.#region}/s3/aws4_request` };
  }

  async #sign(method, url, query, headers, body, scope, date) {
    const names = Object.keys(headers).sort();
    const canonical = [
      method,
      url.pathname,
      [...query].sort().join("&"),
      ...names.map((name) => `${name}:${headers[name]}`),
      "",
      names.join(";"),
      body,
    ].join("\n");
    const digest = hex(await crypto.subtle.digest("SHA-256", text.encode(canonical)));
    const words = ["AWS4-HMAC-SHA256", date, scope, digest].join("\n");
    return hex(await hmac(await this.#key(scope), words));
  }

  /** The key of a day, a region and a service, kept as long as these stay. */
  #key(scope) {
    if (this.#derived.scope !== scope) {
      this.#derived = { scope, key: derive(this.#keys.secretKey, scope) };
    }
    return this.#derived.key;
  }
}

async function derive(secretKey, scope) {
  let key = text.encode(`AWS4${secretKey}`);
  for (const part of scope.split("/")) key = await hmac(await hmacKey(key), part);
  return hmacKey(key);
}

/** The query as `name=value`, one by one: of a name alone the value is empty. */
function pairs(url) {
  const query = url.search.slice(1);
  return query ? query.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`)) : [];
}
