import type { Message } from "@bufbuild/protobuf";
import type { Generated, GeneratedElement } from "../generators/generated.ts";
import { type Patch, type PatchLog, pathOf } from "./patch.ts";

/** Remembers which patches touched a resource, and passes everything on. */
export class TouchLog implements PatchLog {
  readonly #next: PatchLog | undefined;
  readonly #touched: { readonly patch: Patch; readonly element: string }[] = [];

  constructor(next: PatchLog | undefined) {
    this.#next = next;
  }

  get isTouched(): boolean {
    return this.#touched.length > 0;
  }

  hit(patch: Patch, element: string): void {
    this.#touched.push({ patch, element });
    this.#next?.hit(patch, element);
  }

  miss(...args: Parameters<PatchLog["miss"]>): void {
    this.#next?.miss(...args);
  }

  problem(...args: Parameters<PatchLog["problem"]>): void {
    this.#next?.problem(...args);
  }

  /** What was touched within `whole`, such as `HTTP filter istio.stats` within `listener 0.0.0.0_80`. */
  elementsOf(whole: string): GeneratedElement[] {
    const suffix = ` of ${whole}`;
    return this.#touched.flatMap(({ patch, element }) =>
      element.endsWith(suffix) ? [{ name: element.slice(0, -suffix.length), provenance: provenanceOf(patch) }] : [],
    );
  }

  /** The resource with its patched message; the patches are told last, after what it was made from. */
  patched<M extends Message & { readonly name: string }>(
    { provenance }: Generated<M>,
    message: M,
    elements: readonly GeneratedElement[],
  ): Generated<M> {
    const patches = new Set(this.#touched.map(({ patch }) => patch));
    return {
      name: message.name,
      message,
      provenance: [...provenance, ...[...patches].map(provenanceOf)],
      ...(elements.length === 0 ? {} : { elements }),
    };
  }
}

/** Where a patch stands. */
export function provenanceOf(patch: Patch): GeneratedElement["provenance"] {
  return { config: patch.config, path: pathOf(patch) };
}
