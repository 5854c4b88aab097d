import {
  HeaderName,
  Property,
  REQUEST_HEADERS,
  RootContext,
  RootHandle,
  StateName,
  StreamContext,
  StreamHandle,
  toInt,
} from "@mixerless/sdk";
import { ClientTimes } from "./client-times.ts";
import { PolicyConfig, readPolicyConfig } from "./config.ts";

/**
 * Says of each finished request whether its line is worth writing: of failed ones always, of others once per client and
 * window [telemetry §5.1].
 */
class PolicyRoot extends RootContext {
  readonly code: Property = new Property(["response", "code"]);
  readonly grpcStatus: Property = new Property(["response", "grpc_status"]);
  readonly address: Property = new Property(["source", "address"]);
  readonly principal: Property = new Property(["connection", "uri_san_peer_certificate"]);
  readonly contentType: HeaderName = new HeaderName("content-type");
  readonly verdict: StateName = new StateName("istio.access_log_policy");
  private window: f64 = 0;
  private clients: ClientTimes = new ClientTimes(0);

  override onConfigure(configuration: string): boolean {
    const config: PolicyConfig | null = readPolicyConfig(this, configuration);
    if (config === null) return false;
    const milliseconds: f64 = config.window;
    this.window = milliseconds * 1000000;
    this.clients = new ClientTimes(config.maxClients);
    return true;
  }

  override createStream(host: StreamHandle): StreamContext {
    return new PolicyStream(host, this);
  }

  isWanted(stream: StreamContext): boolean {
    if (this.hasFailed(stream)) return true;
    const client = `${textOf(stream, this.address)} ${textOf(stream, this.principal)}`;
    const now: f64 = this.now();
    if (now - this.clients.last(client) <= this.window) return false;
    this.clients.put(client, now);
    return true;
  }

  private hasFailed(stream: StreamContext): boolean {
    if (toInt(stream.getNumber(this.code, 0)) >= 400) return true;
    const type = stream.getHeader(REQUEST_HEADERS, this.contentType);
    if (type === null || !type.startsWith("application/grpc")) return false;
    return toInt(stream.getNumber(this.grpcStatus, 0)) !== 0;
  }
}

class PolicyStream extends StreamContext {
  private readonly root: PolicyRoot;

  constructor(host: StreamHandle, root: PolicyRoot) {
    super(host);
    this.root = root;
  }

  override onLog(): void {
    this.setState(this.root.verdict, this.root.isWanted(this) ? "yes" : "no");
  }
}

function textOf(stream: StreamContext, property: Property): string {
  const text = stream.getString(property);
  return text === null ? "" : text;
}

/** Makes the root context of one plugin. */
export function createRoot(host: RootHandle): RootContext {
  return new PolicyRoot(host);
}
