export {
  type AdminAddress,
  type AdminAnswer,
  type AdminHandler,
  type AdminServer,
  startAdminServer,
} from "./admin-server.ts";
export type { AccessRules } from "./guard.ts";
export { isAllowedHost } from "./host-check.ts";
