export { AuthorityFolder, type AuthorityFolderOptions } from "./authority-folder.ts";
export { type AuthorityOptions, CertificateAuthority, type IssuedCertificate } from "./certificate-authority.ts";
export { createRoot } from "./root.ts";
export { type AuthorityState, RotatingRoot, type RotationOptions } from "./rotating-root.ts";
export { type AuthorityFiles, readSigner, type Signer } from "./signer.ts";
export { openJoinTokens, type UsedTokensOptions } from "./used-tokens.ts";
