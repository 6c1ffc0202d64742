// The one gate between the component and the network: it lets through what concerns the server of the alias,
// signs it, and sends it with the browser's `fetch`.
//
// A request to another origin for which a browser asks first (a "preflight") costs a round trip more, and
// it asks anew for each URL. So a HEAD is signed in its query and carries no header of ours.
import { Signer } from "./sigv4.js";

/** What the component asks for: listings by POST, versions by HEAD, settings and counters by GET. */
const METHODS = ["POST", "HEAD", "GET"];

/** Makes the server answer for itself where it could ask another site. It is worth no preflight: an answer of
 * another site says that it is one. */
const NO_PROXY = "x-minio-source-proxy-request";

export class Gate {
  #endpoint;
  #signer;
  #sameOrigin;

  /** Opens it for the server of an alias; `keys` may be missing, for anonymous access. */
  constructor({ endpoint, keys, region }, origin = globalThis.location?.origin) {
    this.#endpoint = new URL(endpoint).origin;
    this.#signer = keys && new Signer({ ...keys, region });
    this.#sameOrigin = this.#endpoint === origin;
  }

  /** Whether this may be asked. */
  allows(method, scheme, authority) {
    const origin = originOf(`${scheme}://${authority}`);
    return origin === this.#endpoint && METHODS.includes(method);
  }

  /** `fetch` for what is allowed: signs and sends. */
  async fetch(target, { method, signal, headers: asked }, fetch = globalThis.fetch) {
    const url = new URL(target);
    if (url.href !== target) {
      throw new Error(`the browser would ask for another path than ${target}`);
    }
    let [address, headers] = [target, {}];
    if (this.#signer && method === "POST") headers = await this.#signer.headers(method, url);
    else if (this.#signer) address = await this.#signer.presigned(method, url);
    if (this.#sameOrigin && method === "HEAD" && asked?.has(NO_PROXY)) {
      headers[NO_PROXY] = asked.get(NO_PROXY);
    }
    const answer = await fetch(address, {
      method,
      headers,
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "manual",
      referrerPolicy: "no-referrer",
    });
    this.#signer?.learn(answer.headers.get("x-amz-bucket-region"));
    return answer.type === "opaqueredirect" ? redirect() : answer;
  }
}

function originOf(address) {
  try {
    return new URL(address).origin;
  } catch {
    return undefined;
  }
}

/** A redirect, of which the browser tells nothing more. */
const redirect = () =>
  new Response(null, { status: 308, headers: { location: "a place that browsers do not tell" } });
