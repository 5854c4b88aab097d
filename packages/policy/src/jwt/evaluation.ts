import { type JsonWebToken, type JwtStatus, type KeySet, readJwt } from "@mixerless/identity/jwt";
import type { KeySource } from "./key-source.ts";
import { checkClaims, type Provider } from "./provider.ts";
import { type FoundToken, MOST_TOKENS, type TokenPlace, type TokenRequest, tokensIn } from "./token-locations.ts";

/** A token that is proven, and who vouches for it. */
export interface VerifiedToken<Key> {
  readonly token: JsonWebToken;
  readonly place: TokenPlace<Key>;
  readonly provider: Provider<Key>;
}

/** Told about signatures, for totals. */
export interface VerificationObserver {
  onCache(hit: boolean): void;
}

/**
 * One look at the tokens of a request. Where keys have to be fetched, {@link waitsFor} says so and the result means
 * nothing: fetch, add the source to `fetched`, and look again.
 */
export class Evaluation<Key> {
  readonly #request: TokenRequest<Key>;
  readonly #cookieKey: Key;
  /** Seconds. */
  readonly #now: number;
  readonly #fetched: ReadonlySet<KeySource>;
  readonly #observer: VerificationObserver | null;
  readonly #byProvider = new Map<Provider<Key>, Map<string, JsonWebToken | JwtStatus>>();
  readonly verified: VerifiedToken<Key>[] = [];
  waitsFor: KeySource | null = null;

  constructor(
    request: TokenRequest<Key>,
    cookieKey: Key,
    now: number,
    fetched: ReadonlySet<KeySource>,
    observer: VerificationObserver | null = null,
  ) {
    this.#request = request;
    this.#cookieKey = cookieKey;
    this.#now = now;
    this.#fetched = fetched;
    this.#observer = observer;
  }

  /**
   * Checks every token where these providers look for theirs. All must be valid, for nobody knows which one the
   * application will believe. With `only`, each must be that provider's; `stopsAtFailure: false` goes on to the last
   * one for what is to be noted about the others.
   */
  tokensOf(
    providers: readonly Provider<Key>[],
    only: Provider<Key> | null,
    audiences: ReadonlySet<string> | null,
    stopsAtFailure: boolean,
  ): JwtStatus | null {
    const found = this.#find(providers);
    if (found.size === 0) return "missing";
    if (found.size > MOST_TOKENS) return "too-many";
    let failure: JwtStatus | null = null;
    for (const [{ text, place }, owners] of found) {
      const status = this.#check(text, place, owners, only, audiences);
      if (this.waitsFor !== null) return status;
      failure ??= status;
      if (status !== null && stopsAtFailure) return status;
    }
    return failure;
  }

  /** Tokens with the providers that look for theirs where each was found. */
  #find(providers: readonly Provider<Key>[]): Map<FoundToken<Key>, Provider<Key>[]> {
    const byPlace = new Map<string, { readonly place: TokenPlace<Key>; readonly owners: Provider<Key>[] }>();
    for (const provider of providers) {
      for (const place of provider.places) {
        const id = JSON.stringify([place.kind, place.name, place.kind === "header" ? place.prefix : ""]);
        const known = byPlace.get(id);
        if (known === undefined) byPlace.set(id, { place, owners: [provider] });
        else known.owners.push(provider);
      }
    }
    const found = [...byPlace.values()].flatMap(({ place, owners }) =>
      tokensIn(place, this.#request, this.#cookieKey).map((token) => [token, owners] as const),
    );
    // Of several, the first one found has the last word on what is noted, as in Envoy.
    return new Map(found.reverse());
  }

  #check(
    text: string,
    place: TokenPlace<Key>,
    owners: readonly Provider<Key>[],
    only: Provider<Key> | null,
    audiences: ReadonlySet<string> | null,
  ): JwtStatus | null {
    const token = readJwt(text);
    if (typeof token === "string") return token;
    const issued = (one: Provider<Key>) => one.issuer === "" || one.issuer === token.issuer;
    const provider = only ?? owners.find((one) => one.issuer !== "" && issued(one)) ?? owners.find(issued);
    if (provider === undefined || !issued(provider)) return "unknown-issuer";
    const wrong = checkClaims(token, provider as Provider<never>, audiences ?? provider.audiences, this.#now);
    if (wrong !== null) return wrong;
    const status = this.#signature(token, provider);
    if (status === null) this.#note({ token, place, provider });
    return status;
  }

  #signature(token: JsonWebToken, provider: Provider<Key>): JwtStatus | null {
    const { keys: source, cache } = provider;
    const keys = source.current();
    const mayFetch = !this.#fetched.has(source);
    if (keys === null) return mayFetch ? this.#wait(source) : "keys-not-fetched";
    if (cache?.has(token.text, keys) === true) {
      this.#observer?.onCache(true);
      return null;
    }
    const status = this.#once(token, provider, keys);
    if (cache !== null) {
      this.#observer?.onCache(false);
      if (status === null) cache.add(token.text, keys);
    }
    // A key that is not known may be a new one.
    return status === "no-matching-key" && mayFetch && source.canRefresh() ? this.#wait(source) : status;
  }

  /** Requirements name a provider more than once; a signature is checked once all the same. */
  #once(token: JsonWebToken, provider: Provider<Key>, keys: KeySet): JwtStatus | null {
    let results = this.#byProvider.get(provider);
    if (results === undefined) {
      results = new Map();
      this.#byProvider.set(provider, results);
    }
    const known = results.get(token.text);
    if (known !== undefined) return typeof known === "string" ? known : null;
    const status = keys.verify(token);
    results.set(token.text, status ?? token);
    return status;
  }

  #wait(source: KeySource): JwtStatus {
    this.waitsFor = source;
    return "keys-not-fetched";
  }

  #note(verified: VerifiedToken<Key>): void {
    const same = ({ token, provider }: VerifiedToken<Key>) =>
      token.text === verified.token.text && provider === verified.provider;
    if (!this.verified.some(same)) this.verified.push(verified);
  }
}
