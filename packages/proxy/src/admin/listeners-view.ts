import type { ListenerState } from "../listener/listener-manager.ts";

/** Envoy's `/listeners` text. */
export function renderListenersText(listeners: readonly ListenerState[]): string {
  return listeners.map((listener) => `${listener.name}::${listener.address}\n`).join("");
}

/** Envoy's `/listeners?format=json`: `envoy.admin.v3.Listeners`, with the state beside it. */
export function renderListenersJson(listeners: readonly ListenerState[]): string {
  const statuses = listeners.map((listener) => {
    const colon = listener.address.lastIndexOf(":");
    const address = listener.address.slice(0, colon).replace(/^\[|\]$/g, "");
    return {
      name: listener.name,
      local_address: { socket_address: { address, port_value: Number(listener.address.slice(colon + 1)) } },
      status: listener.status,
      ...(listener.error === null ? {} : { error: listener.error }),
      connections: listener.connections,
    };
  });
  return `${JSON.stringify({ listener_statuses: statuses }, null, 1)}\n`;
}
