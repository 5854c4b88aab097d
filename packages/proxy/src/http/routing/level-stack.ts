import type { HeaderMutations } from "./header-mutations.ts";
import type { MutationLevels } from "./route-entry.ts";

/**
 * The header mutations from the route configuration down to a weighted cluster. Envoy carries out the narrowest
 * level first, so that wider ones have the last word, unless `most_specific_header_mutations_wins` turns it round.
 */
export class LevelStack {
  readonly #request: readonly HeaderMutations[];
  readonly #response: readonly HeaderMutations[];
  readonly #narrowestLast: boolean;

  /** Both lists go from wide to narrow. */
  constructor(request: readonly HeaderMutations[], response: readonly HeaderMutations[], narrowestLast: boolean) {
    this.#request = request;
    this.#response = response;
    this.#narrowestLast = narrowestLast;
  }

  narrower(request: HeaderMutations, response: HeaderMutations): LevelStack {
    return new LevelStack([...this.#request, request], [...this.#response, response], this.#narrowestLast);
  }

  ordered(): MutationLevels {
    const order = (levels: readonly HeaderMutations[]) => {
      const used = levels.filter((level) => !level.empty);
      return this.#narrowestLast ? used : used.reverse();
    };
    return { request: order(this.#request), response: order(this.#response) };
  }
}
