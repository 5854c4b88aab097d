export { type CertificateFacts, certificateFacts, readCertificate, splitCertificates } from "./certificate.ts";
export { createKeyAndRequest, type KeyAndRequest } from "./certificate-request.ts";
export { type ErrorOwner, IdentityError, type IdentityErrorCode } from "./identity-error.ts";
export {
  createJoinKey,
  type JoinClaims,
  JoinTokens,
  readJoinToken,
  signJoinToken,
  type UsedTokenMemory,
} from "./join-token.ts";
export { checkOperator, signOperator } from "./operator-proof.ts";
export { renewalDelay } from "./renewal.ts";
export { RENEWAL_HEADER, readRenewal, signRenewal } from "./renewal-proof.ts";
export {
  CONTROL_PLANE_NAME,
  formatSpiffeId,
  isSegment,
  isTrustDomain,
  parseSpiffeId,
  type SpiffeId,
} from "./spiffe-id.ts";
