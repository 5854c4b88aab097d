/** The token of an `authorization` header, or null. */
export function bearerOf([authorization = ""]: readonly unknown[]): string | null {
  return /^Bearer (\S+)$/.exec(String(authorization))?.[1] ?? null;
}
