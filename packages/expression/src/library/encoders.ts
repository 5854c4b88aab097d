import { Failure } from "../values/abnormal.ts";
import { fn, type Library } from "./overload.ts";

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** `base64.encode` and `base64.decode`. */
export function encoders(): Library {
  return [
    fn("base64.encode(bytes) -> string", (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")),
    fn("base64.decode(string) -> bytes", (text: string) =>
      BASE64.test(text) ? new Uint8Array(Buffer.from(text, "base64")) : new Failure("the text is not base64"),
    ),
  ];
}
