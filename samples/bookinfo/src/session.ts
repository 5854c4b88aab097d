import { createHmac, timingSafeEqual } from "node:crypto";

/** Remembers who signed in, in a cookie that only this service can have made. */
export interface Sessions {
  /** The user of a `cookie` header, `undefined` when nobody is signed in. */
  userOf(cookies: string | undefined): string | undefined;
  /** The `set-cookie` header that signs `user` in. */
  start(user: string): string;
  /** The `set-cookie` header that signs anybody out. */
  end(): string;
}

const cookieName = "session";
const attributes = "Path=/; HttpOnly; SameSite=Lax";
const longestName = 64;

/** `secret` signs the cookies; replicas that share the users must share it. */
export function createSessions(secret: string | Buffer): Sessions {
  const signatureOf = (payload: string) => createHmac("sha256", secret).update(payload).digest();

  return {
    userOf(cookies = "") {
      const pair = cookies.split(/; */).find((cookie) => cookie.startsWith(`${cookieName}=`));
      const [payload = "", signature = ""] = pair?.slice(cookieName.length + 1).split(".") ?? [];
      const claimed = Buffer.from(signature, "base64url");
      const actual = signatureOf(payload);
      if (claimed.length !== actual.length || !timingSafeEqual(claimed, actual)) return undefined;
      return Buffer.from(payload, "base64url").toString("utf8");
    },
    start(user) {
      const payload = Buffer.from(user, "utf8").toString("base64url");
      return `${cookieName}=${payload}.${signatureOf(payload).toString("base64url")}; ${attributes}`;
    },
    end: () => `${cookieName}=; Max-Age=0; ${attributes}`,
  };
}

/** A name that somebody typed, without control characters and no longer than a header should be. */
export function cleanUserName(typed: string): string {
  const printable = [...typed].filter((character) => !/\p{C}/u.test(character));
  return printable.slice(0, longestName).join("").trim();
}

/** `user` as a header value: itself where it is ASCII, so that rules like `end-user: jason` match, else percent-encoded. */
export function endUserHeader(user: string): string {
  return /^[\x20-\x7e]*$/.test(user) ? user : encodeURIComponent(user);
}
