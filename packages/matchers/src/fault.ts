/** One reason why a matcher cannot be compiled. Matchers collect all of theirs, and match nothing then. */
export interface MatcherFault {
  /** Field path as the wire package writes it: `headers[2].stringMatch.safeRegex.regex`. */
  readonly path: string;
  readonly message: string;
}
