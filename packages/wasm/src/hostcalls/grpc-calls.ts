import { parsePairs } from "../encoding/pairs.ts";
import { bytesField, parseFields } from "../encoding/protobuf.ts";
import type { GrpcRequest, GrpcTarget, Headers } from "../vm/services.ts";
import type { WasmVm } from "../vm/vm.ts";
import { answer, lowerCase } from "./http-calls.ts";
import { Status } from "./status.ts";

/** gRPC calls [proxy-wasm §8.7]. */
export function grpcCalls(vm: WasmVm) {
  return {
    proxy_grpc_call(
      target: number,
      targetSize: number,
      service: number,
      serviceSize: number,
      method: number,
      methodSize: number,
      metadata: number,
      metadataSize: number,
      message: number,
      messageSize: number,
      timeout: number,
      tokenCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_grpc_call");
      const bytes = vm.memory.copy(message, messageSize);
      const pieces = read(vm, [
        [target, targetSize],
        [service, serviceSize],
        [method, methodSize],
        [metadata, metadataSize],
      ]);
      if (bytes === null || pieces === null || !vm.memory.holds(tokenCell, 4)) return Status.InvalidMemoryAccess;
      const request = requestOf(vm, pieces, Math.max(timeout, 0));
      if (request === null) return Status.ParseFailure;
      return vm.active === null
        ? Status.BadArgument
        : answer(vm, vm.active.root.callouts.grpcCall(request, bytes), tokenCell);
    },

    proxy_grpc_stream(
      target: number,
      targetSize: number,
      service: number,
      serviceSize: number,
      method: number,
      methodSize: number,
      metadata: number,
      metadataSize: number,
      tokenCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_grpc_stream");
      const pieces = read(vm, [
        [target, targetSize],
        [service, serviceSize],
        [method, methodSize],
        [metadata, metadataSize],
      ]);
      if (pieces === null || !vm.memory.holds(tokenCell, 4)) return Status.InvalidMemoryAccess;
      const request = requestOf(vm, pieces, 0);
      if (request === null) return Status.ParseFailure;
      return vm.active === null
        ? Status.BadArgument
        : answer(vm, vm.active.root.callouts.grpcStream(request), tokenCell);
    },

    proxy_grpc_send(token: number, message: number, size: number, endStream: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_grpc_send");
      const bytes = vm.memory.copy(message, size);
      if (bytes === null) return Status.InvalidMemoryAccess;
      return vm.active?.root.callouts.grpcSend(token >>> 0, bytes, endStream !== 0) ?? Status.BadArgument;
    },

    proxy_grpc_close(token: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_grpc_close");
      return vm.active?.root.callouts.grpcClose(token >>> 0) ?? Status.BadArgument;
    },

    proxy_grpc_cancel(token: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_grpc_cancel");
      return vm.active?.root.callouts.grpcCancel(token >>> 0) ?? Status.BadArgument;
    },
  };
}

/** The strings at these places; null: one of them is out of bounds. */
function read(vm: WasmVm, places: readonly (readonly [pointer: number, size: number])[]): Buffer[] | null {
  const pieces: Buffer[] = [];
  for (const [pointer, size] of places) {
    const piece = vm.memory.copy(pointer, size);
    if (piece === null) return null;
    pieces.push(piece);
  }
  return pieces;
}

/** Null: the target is neither a cluster's name nor a service that names a known cluster. */
function requestOf(vm: WasmVm, pieces: readonly Buffer[], timeout: number): GrpcRequest | null {
  const [target = EMPTY, service = EMPTY, method = EMPTY, metadata = EMPTY] = pieces;
  const found = targetOf(vm, target);
  if (found === null) return null;
  return {
    target: found.target,
    service: service.toString("latin1"),
    method: method.toString("latin1"),
    metadata: [...found.metadata, ...lowerCase(parsePairs(metadata))],
    timeout,
  };
}

const EMPTY = Buffer.alloc(0);

function targetOf(vm: WasmVm, bytes: Buffer): { target: GrpcTarget; metadata: Headers } | null {
  const { grpc } = vm.options.services;
  const name = bytes.toString("latin1");
  if (name.length > 0 && grpc.hasCluster(name)) return { target: { cluster: name, authority: "" }, metadata: [] };
  const service = parseFields(bytes);
  const envoyGrpc = service === null ? null : parseFields(bytesField(service, 1));
  if (service === null || envoyGrpc === null) return null;
  const cluster = bytesField(envoyGrpc, 1).toString("latin1");
  if (cluster.length === 0 || !grpc.hasCluster(cluster)) return null;
  return { target: { cluster, authority: bytesField(envoyGrpc, 2).toString("latin1") }, metadata: metadataOf(service) };
}

/** `initial_metadata` of the service: repeated { 1 key, 2 value }. */
function metadataOf(service: NonNullable<ReturnType<typeof parseFields>>): Headers {
  const entries = service.filter(({ number, value }) => number === 5 && typeof value !== "number");
  return entries.map(({ value }): [string, string] => {
    const entry = parseFields(value as Buffer) ?? [];
    return [bytesField(entry, 1).toString("latin1").toLowerCase(), bytesField(entry, 2).toString("latin1")];
  });
}
