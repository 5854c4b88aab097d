import type { OutgoingHttpHeaders } from "node:http";
import { type Client, isRecord, parseJson } from "./client.ts";
import type { Endpoint } from "./environment.ts";

/** A book as the details service shows it, without its number. */
export type Book = Record<string, unknown>;

const readTimeout = 5_000;
const path = "/books/v1/volumes?q=isbn:0486424618";

const endpoints: Record<"tls" | "plain", Endpoint> = {
  tls: { host: "www.googleapis.com", port: 443, authority: "www.googleapis.com", secure: true },
  plain: { host: "www.googleapis.com", port: 80, authority: "www.googleapis.com" },
};

/** Looks the sample's book up in Google Books. `undefined` when the catalogue does not answer or not as agreed. */
export function createBookLookup(
  client: Client,
  encryption: "tls" | "plain",
): (headers: OutgoingHttpHeaders) => Promise<Book | undefined> {
  return async (headers) => {
    const reply = await client.get(endpoints[encryption], path, headers, readTimeout);
    return reply?.status === 200 ? bookOf(parseJson(reply.body)) : undefined;
  };
}

/** The first volume of an answer of the catalogue, in the words of the details service. */
export function bookOf(answer: unknown): Book | undefined {
  const volume = isRecord(answer) && Array.isArray(answer.items) ? answer.items[0] : undefined;
  const info = isRecord(volume) ? volume.volumeInfo : undefined;
  if (!isRecord(info)) return undefined;
  return {
    author: Array.isArray(info.authors) ? info.authors[0] : undefined,
    year: info.publishedDate,
    type: info.printType === "BOOK" ? "paperback" : "unknown",
    pages: info.pageCount,
    publisher: info.publisher,
    language: info.language === "en" ? "English" : "unknown",
    "ISBN-10": isbnOf(info, "ISBN_10"),
    "ISBN-13": isbnOf(info, "ISBN_13"),
  };
}

function isbnOf(info: Record<string, unknown>, type: string): unknown {
  const identifiers = Array.isArray(info.industryIdentifiers) ? info.industryIdentifiers : [];
  return identifiers.filter(isRecord).find((identifier) => identifier.type === type)?.identifier;
}
