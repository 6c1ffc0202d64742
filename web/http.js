// `wasi:http` of the component: that of jco's browser shim, behind the gate.
import { outgoingHandler as stock, types } from "./shim/http.js";

export { types };

let gate;
const fetch = globalThis.fetch;

/** Opens the way out. Until then everything is denied. */
export function open(opened) {
  gate = opened;
  // The shim calls what stands here; the gate has the browser's own.
  globalThis.fetch = (target, init) => gate.fetch(target, init, fetch);
}

export const outgoingHandler = {
  handle(request, options) {
    const { tag, val } = request.method();
    const method = (val ?? tag).toUpperCase();
    const scheme = request.scheme()?.tag.toLowerCase() ?? "https";
    if (!gate?.allows(method, scheme, request.authority())) throw { tag: "HTTP-request-denied" };
    return stock.handle(request, options);
  },
};
