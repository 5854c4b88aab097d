export { type CertificateFacts, certificateFacts, readCertificate, splitCertificates } from "./certificate.ts";
export { type ErrorOwner, IdentityError, type IdentityErrorCode } from "./identity-error.ts";
export { createJoinKey, type JoinClaims, JoinTokens, readJoinToken, signJoinToken } from "./join-token.ts";
export { renewalDelay } from "./renewal.ts";
export { readRenewal, signRenewal } from "./renewal-proof.ts";
export { formatSpiffeId, isSegment, isTrustDomain, parseSpiffeId, type SpiffeId } from "./spiffe-id.ts";
