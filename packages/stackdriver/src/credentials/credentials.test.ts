import { VirtualClock } from "@mixerless/clock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FakeTokenEndpoint } from "../testing/fake-token-endpoint.ts";
import { type CredentialSettings, createTokenSource } from "./credentials.ts";
import type { TokenSource } from "./token-source.ts";

const NOW = 1_700_000_000_000;
const SCOPES = "https://www.googleapis.com/auth/logging.write https://www.googleapis.com/auth/monitoring.write";

let endpoint: FakeTokenEndpoint;
let clock: VirtualClock;

beforeAll(async () => {
  endpoint = await FakeTokenEndpoint.start();
});
afterAll(() => endpoint.close());
beforeEach(() => {
  clock = new VirtualClock(NOW);
  endpoint.requests.length = 0;
  endpoint.failWith = 0;
});

function sourceOf(files: Readonly<Record<string, unknown>>, settings: Partial<CredentialSettings> = {}): TokenSource {
  const all = { file: "/key.json", tokenFile: "", stsPort: 0, ...settings };
  const readFile = async (path: string) => {
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return typeof content === "string" ? content : JSON.stringify(content);
  };
  const source = createTokenSource(all, { clock, readFile });
  if (source === null) throw new Error("no credentials");
  return source;
}

const EXTERNAL = () => ({
  type: "external_account",
  audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: endpoint.url,
  credential_source: { file: "/var/token" },
});

describe("the key of a service account", () => {
  it("signs an assertion that is exchanged for a token, once until shortly before the token's end", async () => {
    const source = sourceOf({ "/key.json": endpoint.serviceAccount() });
    const [one, two] = await Promise.all([source.get(), source.get()]);
    expect([one, two]).toEqual([endpoint.token, endpoint.token]);
    expect(endpoint.requests).toHaveLength(1);
    expect(endpoint.requests[0]?.form.grant_type).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    expect(endpoint.requests[0]?.claims).toEqual({
      ...{ iss: "exporter@test-project.iam.gserviceaccount.com", scope: SCOPES, aud: endpoint.url },
      ...{ iat: NOW / 1000, exp: NOW / 1000 + 3600 },
    });
    clock.advance(3_539_999);
    await source.get();
    expect(endpoint.requests).toHaveLength(1);
    clock.advance(1);
    await source.get();
    expect(endpoint.requests).toHaveLength(2);
  });

  it("is read again for the next token, also after the last one was refused", async () => {
    const files = { "/key.json": { ...endpoint.serviceAccount(), client_email: "first@x" } };
    const source = sourceOf(files);
    await source.get();
    files["/key.json"].client_email = "second@x";
    source.invalidate();
    await source.get();
    expect(endpoint.requests.map(({ claims }) => claims?.iss)).toEqual(["first@x", "second@x"]);
  });

  it("that is refused is not tried again at once, and says why without a secret", async () => {
    endpoint.failWith = 400;
    const source = sourceOf({ "/key.json": endpoint.serviceAccount() });
    const fault = {
      fault: `credentials of /key.json: ${new URL(endpoint.url).host} gives no token: HTTP 400, invalid_grant: No`,
    };
    expect([await source.get(), await source.get()]).toEqual([fault, fault]);
    expect(endpoint.requests).toHaveLength(1);
    endpoint.failWith = 0;
    clock.advance(5000);
    expect(await source.get()).toBe(endpoint.token);
  });
});

describe("an external account", () => {
  it("has the token of a file exchanged", async () => {
    const source = sourceOf({ "/key.json": EXTERNAL(), "/var/token": "subject\n" });
    expect(await source.get()).toBe(endpoint.token);
    expect(endpoint.requests[0]?.form).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: EXTERNAL().audience,
      scope: SCOPES,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token: "subject",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    });
  });

  it("has the token for the service account that it names, and the field of a JSON file", async () => {
    const format = { type: "json", subject_token_field_name: "id" };
    const account = {
      ...EXTERNAL(),
      credential_source: { file: "/var/token", format },
      service_account_impersonation_url: `${endpoint.url}/sa:generateAccessToken`,
    };
    const source = sourceOf({ "/key.json": account, "/var/token": { id: "subject" } });
    const before = endpoint.given;
    expect(await source.get()).toBe(`token-${before + 2}`);
    const [exchange, impersonation] = endpoint.requests;
    expect(exchange?.form).toMatchObject({
      subject_token: "subject",
      scope: "https://www.googleapis.com/auth/cloud-platform",
    });
    expect(impersonation?.authorization).toBe(`Bearer token-${before + 1}`);
    expect(JSON.parse(impersonation?.body ?? "")).toEqual({ scope: SCOPES.split(" "), lifetime: "3600s" });
  });
});

describe("a token that the agent's port exchanges", () => {
  it("is exchanged on this machine", async () => {
    const source = sourceOf({ "/var/token": "subject" }, { file: "", tokenFile: "/var/token", stsPort: endpoint.port });
    expect(await source.get()).toBe(endpoint.token);
    expect(endpoint.requests[0]).toMatchObject({ path: "/token", form: { subject_token: "subject" } });
  });

  it("needs both the file and the port", () => {
    for (const settings of [
      { tokenFile: "/var/token", stsPort: 0 },
      { tokenFile: "", stsPort: 1 },
    ])
      expect(createTokenSource({ file: "", ...settings }, { clock })).toBeNull();
  });
});

describe("credentials that can't be used", () => {
  const SECRET = "very-secret";
  const cases: [string, unknown, RegExp][] = [
    ["nothing", undefined, /key\.json can't be read/],
    ["no JSON", `{"private_key": ${SECRET}`, /key\.json is not JSON$/],
    ["a list", [SECRET], /holds no JSON object$/],
    ["another type", { type: SECRET }, /type is neither service_account nor external_account$/],
    ["no key", { type: "service_account", client_email: "a", private_key: SECRET }, /private_key is not an RSA key/],
    [
      "a token endpoint in clear",
      { type: "service_account", client_email: "a", token_uri: "http://example.com/" },
      /token_uri is neither https nor/,
    ],
    [
      "a password in a URL",
      { type: "external_account", audience: "a", subject_token_type: "t", token_url: `https://a:${SECRET}@b/` },
      /token_url has a password in it$/,
    ],
    [
      "a program",
      {
        type: "external_account",
        audience: "a",
        subject_token_type: "t",
        token_url: "https://b/",
        credential_source: { executable: {} },
      },
      /credential_source names no file/,
    ],
  ];

  it.each(cases)("%s: say what is wrong and show no secret", async (_name, content, message) => {
    const answer = await sourceOf(content === undefined ? {} : { "/key.json": content }).get();
    expect(answer).toEqual({ fault: expect.stringMatching(message) });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    expect(endpoint.requests).toEqual([]);
  });
});
