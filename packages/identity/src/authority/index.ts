export { AuthorityFolder, type AuthorityFolderOptions, readJoinKey } from "./authority-folder.ts";
export { type AuthorityOptions, CertificateAuthority, type IssuedCertificate } from "./certificate-authority.ts";
export { type Issued, IssuedCertificates } from "./issued-certificates.ts";
export { createRoot } from "./root.ts";
export { type AuthorityState, type RootStatus, RotatingRoot, type RotationOptions } from "./rotating-root.ts";
export { type AuthorityFiles, readSigner, type Signer } from "./signer.ts";
export { openJoinTokens, type UsedTokensOptions } from "./used-tokens.ts";
