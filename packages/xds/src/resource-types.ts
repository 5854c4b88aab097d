const PREFIX = "type.googleapis.com/";

/** Type URLs of the resources that have a name of their own in the mesh [control-plane §5.1]. */
export const TypeUrl = {
  cluster: `${PREFIX}envoy.config.cluster.v3.Cluster`,
  endpoint: `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  listener: `${PREFIX}envoy.config.listener.v3.Listener`,
  route: `${PREFIX}envoy.config.route.v3.RouteConfiguration`,
  secret: `${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`,
  extensionConfig: `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`,
  nameTable: `${PREFIX}istio.networking.nds.v1.NameTable`,
  proxyConfig: `${PREFIX}istio.mesh.v1alpha1.ProxyConfig`,
  health: `${PREFIX}istio.v1.HealthInformation`,
} as const;

/** What the protocol does differently from one resource type to the next. */
export interface ResourceType {
  readonly typeUrl: string;
  /** As in metrics and on the command line: `cds`, `eds` … */
  readonly shortName: string;
  /** A first request without names asks for everything. */
  readonly wildcard: boolean;
  /** A state-of-the-world response must hold the whole set, because what it leaves out counts as deleted. */
  readonly complete: boolean;
  /** A delta response may say that a resource is gone. */
  readonly removable: boolean;
  /** Place within one push, lowest first [control-plane §5.5]. */
  readonly order: number;
}

const SECRET_ORDER = 4;
const AMBIENT_ORDER = 5;
const LAST_ORDER = 6;

const known: readonly ResourceType[] = [
  { typeUrl: TypeUrl.cluster, shortName: "cds", wildcard: true, complete: true, removable: true, order: 0 },
  { typeUrl: TypeUrl.endpoint, shortName: "eds", wildcard: false, complete: false, removable: true, order: 1 },
  { typeUrl: TypeUrl.listener, shortName: "lds", wildcard: true, complete: true, removable: true, order: 2 },
  { typeUrl: TypeUrl.route, shortName: "rds", wildcard: false, complete: false, removable: true, order: 3 },
  { typeUrl: TypeUrl.secret, shortName: "sds", wildcard: false, complete: false, removable: true, order: SECRET_ORDER },
  {
    typeUrl: TypeUrl.extensionConfig,
    shortName: "ecds",
    wildcard: false,
    complete: false,
    removable: false,
    order: LAST_ORDER,
  },
  everything(TypeUrl.nameTable, "nds"),
  everything(TypeUrl.proxyConfig, "pcds"),
  everything(`${PREFIX}istio.workload.Address`, "wds", AMBIENT_ORDER),
  everything(`${PREFIX}istio.workload.Workload`, "wads", AMBIENT_ORDER),
  everything(`${PREFIX}istio.security.Authorization`, "authz", AMBIENT_ORDER),
];

const byUrl = new Map(known.map((type) => [type.typeUrl, type]));

/** Types that the table does not name are wildcard types, as everything beside Envoy's own four is upstream. */
export function resourceType(typeUrl: string): ResourceType {
  return byUrl.get(typeUrl) ?? everything(typeUrl, typeUrl.slice(typeUrl.lastIndexOf(".") + 1));
}

/** `cds`, `eds` …, or the last part of the type URL. */
export function shortTypeName(typeUrl: string): string {
  return resourceType(typeUrl).shortName;
}

function everything(typeUrl: string, shortName: string, order = LAST_ORDER): ResourceType {
  return { typeUrl, shortName, wildcard: true, complete: true, removable: true, order };
}
