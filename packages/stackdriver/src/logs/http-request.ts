import { HeaderName, Property, REQUEST_HEADERS, type StreamContext } from "@mixerless/sdk";
import { type Attributes, textOf } from "../filter/attributes.ts";
import type { Relation } from "../filter/combinations.ts";
import { fromByteString } from "../filter/text.ts";
import type { RequestLine, TraceLine } from "./entry.ts";

const MOST_TEXT = 8192;

/** The request of a log entry. Its path has no query, which may hold secrets, as upstream's. */
export class RequestFacts {
  readonly #attributes: Attributes;
  readonly #project: string;
  readonly #scheme = new Property(["request", "scheme"]);
  readonly #userAgent = new Property(["request", "useragent"]);
  readonly #referer = new Property(["request", "referer"]);
  readonly #remote = new Property(["source", "address"]);
  readonly #server = new Property(["destination", "address"]);
  readonly #sampled = new HeaderName("x-b3-sampled");
  readonly #traceId = new HeaderName("x-b3-traceid");
  readonly #spanId = new HeaderName("x-b3-spanid");

  constructor(attributes: Attributes, project: string) {
    this.#attributes = attributes;
    this.#project = project;
  }

  request(stream: StreamContext, relation: Relation): RequestLine {
    const { authority, urlPath, code, received, sent, duration } = this.#attributes;
    const text = (property: Property) => textOf(stream, property).slice(0, MOST_TEXT);
    const size = (property: Property) => Math.max(0, Math.round(stream.getNumber(property, 0)));
    return {
      method: relation.operation.slice(0, MOST_TEXT),
      url: `${text(this.#scheme) || "http"}://${text(authority)}${text(urlPath)}`,
      ...{ status: size(code), requestBytes: size(received), responseBytes: size(sent) },
      ...{ userAgent: text(this.#userAgent), referer: text(this.#referer) },
      ...{ remote: text(this.#remote), server: text(this.#server), protocol: relation.protocol },
      latency: stream.getNumber(duration, -1),
    };
  }

  /** Null for a request that is not sampled. */
  trace(stream: StreamContext): TraceLine | null {
    const header = (name: HeaderName) => fromByteString(stream.getHeader(REQUEST_HEADERS, name) ?? "");
    const id = header(this.#sampled) === "1" ? header(this.#traceId) : "";
    // Other texts would be no name of a trace.
    if (!/^[0-9a-fA-F]{16,32}$/.test(id)) return null;
    const spanId = header(this.#spanId);
    return {
      trace: `projects/${this.#project}/traces/${id}`,
      spanId: /^[0-9a-fA-F]{16}$/.test(spanId) ? spanId : "",
    };
  }
}
