import { type Pair, parsePairs } from "../encoding/pairs.ts";
import type { WasmVm } from "../vm/vm.ts";
import { Status, StreamType } from "./status.ts";

/** Pausing, ending and answering streams [proxy-wasm §8.5]. */
export function streamCalls(vm: WasmVm) {
  const go = (type: number): number => vm.active?.continueStream(type) ?? Status.Ok;
  return {
    proxy_continue_stream(type: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_continue_stream");
      return type >>> 0 > StreamType.Upstream ? Status.BadArgument : go(type);
    },

    proxy_continue_request(): number {
      if (--vm.work < 0) vm.overdrawn("proxy_continue_request");
      return go(StreamType.Request);
    },

    proxy_continue_response(): number {
      if (--vm.work < 0) vm.overdrawn("proxy_continue_response");
      return go(StreamType.Response);
    },

    proxy_close_stream(type: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_close_stream");
      if (type >>> 0 > StreamType.Upstream) return Status.BadArgument;
      return vm.active?.closeStream(type) ?? Status.Ok;
    },

    proxy_send_local_response(
      status: number,
      details: number,
      detailsSize: number,
      body: number,
      bodySize: number,
      headers: number,
      headersSize: number,
      grpcStatus: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_send_local_response");
      const text = vm.memory.string(details, detailsSize);
      const content = vm.memory.string(body, bodySize);
      const pairs = vm.memory.copy(headers, headersSize);
      if (text === null || content === null || pairs === null) return Status.InvalidMemoryAccess;
      if (content.length > vm.limits.bodyBytes) {
        vm.hit("bodyBytes");
        return Status.InternalFailure;
      }
      const added = parsePairs(pairs).map(([name, value]): Pair => [name.toLowerCase(), value]);
      const reply = {
        status: status >>> 0,
        body: content,
        details: text.slice(0, 256).replace(/\s/g, "_"),
        headers: added,
        grpcStatus: grpcStatus >= 0 && grpcStatus <= 16 ? grpcStatus : null,
      };
      return vm.active?.sendLocalReply(reply) ?? Status.Ok;
    },

    proxy_clear_route_cache(): number {
      if (--vm.work < 0) vm.overdrawn("proxy_clear_route_cache");
      vm.active?.clearRouteCache();
      return Status.Ok;
    },
  };
}
