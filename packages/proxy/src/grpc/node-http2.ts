/** Node's HTTP/2, loaded with the first call: a proxy whose plugins make none does without (1 MB). */
export function nodeHttp2(): typeof import("node:http2") {
  return process.getBuiltinModule("node:http2");
}
