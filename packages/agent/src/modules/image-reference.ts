import { FetchFault } from "./fetch-fault.ts";

/** Where an image is. */
export interface ImageReference {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
  /** Empty where the digest alone says it. */
  readonly tag: string;
  /** `sha256:…`; empty without one. */
  readonly digest: string;
}

const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads `host[:port]/path[:tag][@sha256:…]`, with `oci://` or without. */
export function parseImage(url: string): ImageReference {
  const wrong = (why: string) => new FetchFault(`"${url}" is no image: ${why}`, false);
  const [name = "", digest = ""] = split(url.replace(/^oci:\/\//, ""), "@");
  if (digest !== "" && !DIGEST.test(digest)) throw wrong("what follows @ must be sha256: and 64 hexadecimal digits");
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  // As Docker reads it: without a host it is an image of Docker Hub, and one word is one of its own.
  const hosted = first.includes(".") || first.includes(":") || first === "localhost";
  const [path = "", tag = ""] = split(hosted ? name.slice(slash + 1) : name, ":");
  const repository = hosted || path.includes("/") ? path : `library/${path}`;
  if (!REPOSITORY.test(repository)) throw wrong("the path must be lower-case letters, digits and separators");
  if (tag !== "" && !TAG.test(tag)) throw wrong(`"${tag}" can't be a tag`);
  const registry = !hosted || first === "docker.io" ? "index.docker.io" : first;
  return { registry, repository, tag: tag === "" && digest === "" ? "latest" : tag, digest };
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
