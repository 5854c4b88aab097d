import { describe, expect, it } from "vitest";
import { redact } from "./redact.ts";

describe("a dump", () => {
  it("never shows what lies in a sensitive field, however it is spelled and however deep", () => {
    const config = {
      name: "server",
      tls_certificate: {
        certificate_chain: { filename: "/cert" },
        private_key: { inline_string: "KEY" },
        password: { inline_bytes: "S0VZ" },
      },
      sessionTicketKeys: { keys: [{ inlineString: "KEY" }, "KEY"] },
      typed: [{ config: { client_secret: "KEY" } }],
    };
    const text = JSON.stringify(redact(config));
    expect(text).not.toMatch(/KEY|S0VZ/);
    expect(text).toContain("/cert");
    expect(redact(config)).toMatchObject({ tls_certificate: { private_key: { inline_string: "[redacted]" } } });
  });
});
