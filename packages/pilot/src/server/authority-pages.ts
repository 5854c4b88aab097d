import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import { IdentityError } from "@mixerless/identity";
import type { MeshAuthority } from "../authority/mesh-authority.ts";
import { STAGES, type Stage } from "../authority/root-change.ts";

const NONE = "This control plane has no authority. Start it with --authority FOLDER.";

/** What operators see of the signing authority, and how they change its root. */
export function authorityPages(authority: Pick<MeshAuthority, "roots"> | null): AdminHandler[] {
  return [
    {
      path: "/debug/caz",
      help: "the mesh's roots, and how far a change of them is",
      mutates: false,
      handle: () => (authority === null ? json({ error: NONE }, 404) : json(authority.roots.status())),
    },
    {
      path: "/debug/caz/rotate",
      help: "take a step of a change of roots (stage=add, issue or drop; force=true); for mixerless ca",
      mutates: true,
      handle: async (query, { headers }) => {
        if (authority === null) return json({ error: NONE }, 404);
        const stage = STAGES.find((one) => one === query.get("stage"));
        if (stage === undefined) return json({ error: `stage is one of ${STAGES.join(", ")}.` }, 400);
        const proof = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
        return take(authority, stage, query.get("force") === "true", proof);
      },
    },
  ];
}

async function take(
  { roots }: Pick<MeshAuthority, "roots">,
  stage: Stage,
  force: boolean,
  proof: string,
): Promise<AdminAnswer> {
  try {
    return json(await roots.take(stage, force, proof));
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const status = error.code === "not-the-operator" ? 403 : 409;
    return json({ error: error.message, code: error.code }, status);
  }
}

function json(value: unknown, status = 200): AdminAnswer {
  return { status, body: `${JSON.stringify(value, null, 2)}\n`, contentType: "application/json" };
}
