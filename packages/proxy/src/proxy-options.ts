import type { AdminHandler } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { SeriesPart } from "./admin/own-series.ts";
import type { openConfigStream } from "./config/open-config-stream.ts";
import type { StateReaderTable } from "./expression/state-reader.ts";
import type { ExtensionTable, ModuleTable } from "./extension-host/extension.ts";
import type { DrainRequest } from "./listener/drain-sequence.ts";
import type { ListenerSocketFactory } from "./listener/listener-socket.ts";
import type { SecretSource } from "./tls/secret-store.ts";
import type { ModuleSource } from "./wasm/module-source.ts";
import type { ServicePart } from "./wasm/plugin-services.ts";

export interface ProxyOptions {
  /** Checked by `decodeBootstrap` before. */
  readonly bootstrap: Bootstrap;
  readonly clock: Clock;
  /** The extensions that run in process. */
  readonly extensions: ExtensionTable;
  /** Ends what those share, once every stream has; the proxy's own end waits for it. */
  readonly closeExtensions?: (() => Promise<void>) | undefined;
  /** Where Wasm modules come from that are somewhere else; left out, such plugins are refused. */
  readonly modules?: ModuleSource | undefined;
  /** Wasm modules that it brings along. */
  readonly ownModules?: ModuleTable;
  /** How to read what those leave in filter state, for expressions. */
  readonly states?: StateReaderTable;
  readonly log: (message: string) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  /** Called when somebody asks the proxy to stop by its admin interface. */
  readonly onQuit: () => void;
  /** Certificates and roots that TLS contexts name; default: none ever comes. */
  readonly secrets?: SecretSource;
  /** Hears from the control plane which roots the mesh trusts (PEM), whenever that changes; left out, it is not asked. */
  readonly onMeshRoots?: (roots: readonly string[]) => void;
  /** What `/server_info` shows. */
  readonly version: string;
  /** What requests to the admin interface from beyond loopback must carry; none are answered without one. */
  readonly adminToken?: string | undefined;
  /** Milliseconds that changed or removed listeners keep their connections, and that a graceful drain takes; 45 s if left out. */
  readonly drainTime?: number;
  /** Where the last good configuration is kept, for a start without the control plane; nowhere if left out. */
  readonly cacheFile?: string;
  /** What is done elsewhere, where several processes are one proxy. */
  readonly parts?: ProxyParts;
}

/** Parts of a proxy that the processes of a multi-process one divide among them; each has a usual form. */
export interface ProxyParts {
  readonly listen?: ListenerSocketFactory;
  readonly openStream?: typeof openConfigStream;
  /** Has every secret, whatever its name says of where it comes from. */
  readonly secrets?: SecretSource;
  readonly wrapAdmin?: (own: readonly AdminHandler[]) => AdminHandler[];
  readonly onDrain?: (request: DrainRequest) => void;
  readonly onReopenLogs?: () => void;
  /** Which of its own numbers it tells as series. */
  readonly series?: SeriesPart;
  /** Which of the bootstrap's plugins it runs. */
  readonly services?: ServicePart;
  /** Processes that serve. */
  readonly concurrency?: number;
}
