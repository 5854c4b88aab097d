export { compileCidr, type IpTest } from "./cidr.ts";
export type { MatcherFault } from "./fault.ts";
export { compileHeaderTest, type HeaderTest } from "./header-test.ts";
export { compilePathTemplate } from "./path-template.ts";
export { compileRegexMatcher, compileRegexRewrite, type TextRewrite, type TextTest } from "./regex.ts";
export { compileStringMatcher } from "./string-matcher.ts";
export { compileMetadataMatcher, type MetadataTest } from "./value-test.ts";
