/** `user`: a file or setting is wrong; `peer`: what a caller sent is wrong; `us`: a bug. */
export type ErrorOwner = "user" | "peer" | "us";

export type IdentityErrorCode =
  | "bad-authority-files"
  | "bad-certificate"
  | "bad-csr"
  | "lifetime-too-long"
  | "bad-join-token"
  | "authority-expired"
  | "not-the-operator"
  | "too-early";

/** Why an identity was not issued or not believed. The message never holds a key or a token. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;
  readonly owner: ErrorOwner;

  constructor(code: IdentityErrorCode, owner: ErrorOwner, message: string) {
    super(message);
    this.code = code;
    this.owner = owner;
  }
}
