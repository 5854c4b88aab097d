/** The seven sidecars of the demo, in the order of their addresses. */
export interface DemoWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
  /** Services that its application calls. */
  readonly calls: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The sidecar without an application. */
export const GATEWAY = "istio-ingressgateway";

export const WORKLOADS: readonly DemoWorkload[] = [
  bookinfo("productpage", "v1", ["details", "reviews", "ratings"]),
  bookinfo("details", "v1", []),
  bookinfo("reviews", "v1", [], { ENABLE_RATINGS: "false" }),
  bookinfo("reviews", "v2", ["ratings"], { ENABLE_RATINGS: "true", STAR_COLOR: "black" }),
  bookinfo("reviews", "v3", ["ratings"], { ENABLE_RATINGS: "true", STAR_COLOR: "red" }),
  bookinfo("ratings", "v1", []),
  { name: GATEWAY, namespace: "istio-system", app: GATEWAY, version: "", calls: [], environment: {} },
];

/** Services of the application, each with the versions that serve it. */
export const SERVICES: readonly { readonly name: string; readonly versions: readonly string[] }[] = [
  { name: "productpage", versions: ["v1"] },
  { name: "details", versions: ["v1"] },
  { name: "reviews", versions: ["v1", "v2", "v3"] },
  { name: "ratings", versions: ["v1"] },
];

function bookinfo(
  app: string,
  version: string,
  calls: readonly string[],
  environment: Record<string, string> = {},
): DemoWorkload {
  return { name: `${app}-${version}`, namespace: "default", app, version, calls, environment };
}

/** The names are those of Istio's own Bookinfo. */
export function serviceAccountOf({ name, app }: DemoWorkload): string {
  return name === GATEWAY ? `${GATEWAY}-service-account` : `bookinfo-${app}`;
}

export function hasApplication(workload: DemoWorkload): boolean {
  return workload.name !== GATEWAY;
}
