/** The value of an `Authorization` header for a registry, from a pull secret (`.dockerconfigjson`); null: it has none. */
export function basicCredentials(pullSecret: string, registry: string): string | null {
  const auths = objectOf(objectOf(parse(pullSecret)).auths);
  for (const [key, value] of Object.entries(auths)) {
    if (hostOf(key) !== hostOf(registry)) continue;
    const { auth, username, password } = objectOf(value);
    if (typeof auth === "string" && auth !== "") return `Basic ${auth}`;
    if (typeof username === "string" && typeof password === "string")
      return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }
  return null;
}

/** Keys are hosts or URLs: `https://index.docker.io/v1/`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
