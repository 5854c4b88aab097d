import { generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
  /** The claims of an assertion whose signature is right; null for others. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A fake of Google's token endpoint, for tests: it verifies assertions of one key, and gives `token-1`, `token-2` … */
export class FakeTokenEndpoint {
  readonly #keys = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  readonly #server: Server;
  readonly requests: TokenRequest[] = [];
  /** What it answers with, if not 200. */
  failWith = 0;
  given = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  }

  /** Starts one on loopback. */
  static async start(): Promise<FakeTokenEndpoint> {
    const endpoint = new FakeTokenEndpoint();
    endpoint.#server.listen(0, "127.0.0.1");
    await once(endpoint.#server, "listening");
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/token`;
  }

  /** The latest token that it gave. */
  get token(): string {
    return `token-${this.given}`;
  }

  /** The file of a service account's key, as Google gives it. */
  serviceAccount(): Readonly<Record<string, string>> {
    return {
      ...{ type: "service_account", project_id: "test-project", private_key_id: "key-1" },
      ...{ private_key: this.#keys.privateKey, client_email: "exporter@test-project.iam.gserviceaccount.com" },
      token_uri: this.url,
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const body = await text(request);
    const form = Object.fromEntries(new URLSearchParams(body));
    const claims = this.#claims(form.assertion ?? "");
    this.requests.push({ path: request.url ?? "", form, claims, authorization: request.headers.authorization, body });
    if (this.failWith !== 0)
      return { status: this.failWith, body: { error: "invalid_grant", error_description: "No" } };
    if (form.grant_type?.endsWith("jwt-bearer") === true && claims === null)
      return { status: 400, body: { error: "invalid_grant" } };
    this.given++;
    if (request.url?.includes("generateAccessToken") === true)
      return { status: 200, body: { accessToken: this.token, expireTime: "2023-11-14T23:13:20Z" } };
    return { status: 200, body: { access_token: this.token, expires_in: 3600, token_type: "Bearer" } };
  }

  #claims(assertion: string): Readonly<Record<string, unknown>> | null {
    const [head = "", payload = "", signature = ""] = assertion.split(".");
    const signed = Buffer.from(`${head}.${payload}`);
    if (!verify("sha256", signed, this.#keys.publicKey, Buffer.from(signature, "base64url"))) return null;
    return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<string, unknown>;
  }
}
