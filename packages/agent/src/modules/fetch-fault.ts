/** Why a module could not be had: `message` for people, with the cure where there is one. */
export class FetchFault extends Error {
  /** Another attempt may succeed. */
  readonly transient: boolean;

  constructor(message: string, transient: boolean) {
    super(message);
    this.transient = transient;
  }
}
