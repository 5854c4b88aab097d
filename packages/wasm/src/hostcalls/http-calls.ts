import { type Pair, parsePairs } from "../encoding/pairs.ts";
import type { WasmVm } from "../vm/vm.ts";
import { Status } from "./status.ts";

const REQUIRED = [":path", ":method", ":authority"];

/** HTTP calls to clusters, and names to look up [proxy-wasm §8.6, §8.12]. */
export function httpCalls(vm: WasmVm) {
  return {
    proxy_http_call(
      cluster: number,
      clusterSize: number,
      headers: number,
      headersSize: number,
      body: number,
      bodySize: number,
      trailers: number,
      trailersSize: number,
      timeout: number,
      tokenCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_http_call");
      const name = vm.memory.string(cluster, clusterSize);
      const headerBytes = vm.memory.copy(headers, headersSize);
      const content = vm.memory.copy(body, bodySize);
      const trailerBytes = vm.memory.copy(trailers, trailersSize);
      if (name === null || headerBytes === null || content === null || trailerBytes === null) {
        return Status.InvalidMemoryAccess;
      }
      if (!vm.memory.writeU32(tokenCell, 0)) return Status.InvalidMemoryAccess;
      const fields = lowerCase(parsePairs(headerBytes));
      const complete = REQUIRED.every((wanted) => fields.some(([field]) => field === wanted));
      if (timeout < 0 || name.length === 0 || !complete || vm.active === null) return Status.BadArgument;
      const request = {
        cluster: name,
        headers: content.length === 0 ? fields : withLength(fields, content.length),
        body: content,
        trailers: lowerCase(parsePairs(trailerBytes)),
        timeout,
      };
      return answer(vm, vm.active.root.callouts.httpCall(request), tokenCell);
    },

    envoy_resolve_dns(address: number, size: number, tokenCell: number): number {
      if (--vm.work < 0) vm.overdrawn("envoy_resolve_dns");
      const host = vm.memory.string(address, size);
      if (host === null || !vm.memory.holds(tokenCell, 4)) return Status.InvalidMemoryAccess;
      if (vm.active === null) return Status.BadArgument;
      return answer(vm, vm.active.root.callouts.resolveDns(host), tokenCell);
    },
  };
}

/** Writes a token, or gives the status that came in its place. */
export function answer(vm: WasmVm, token: number, cell: number): number {
  if (token <= 0) return -token;
  vm.memory.writeU32(cell, token);
  return Status.Ok;
}

export function lowerCase(pairs: readonly Pair[]): Pair[] {
  return pairs.map(([name, value]): Pair => [name.toLowerCase(), value]);
}

function withLength(fields: readonly Pair[], length: number): Pair[] {
  return [...fields.filter(([name]) => name !== "content-length"), ["content-length", String(length)]];
}
