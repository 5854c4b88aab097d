export { protoFile } from "./proto-file.ts";
