import { type DescMethod, type DescService, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** One method in the shape that grpc-js takes for servers and clients. A deserialiser throws on malformed bytes. */
export interface GrpcMethodDefinition<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  requestSerialize(message: Request): Buffer;
  requestDeserialize(bytes: Uint8Array): Request;
  responseSerialize(message: Response): Buffer;
  responseDeserialize(bytes: Uint8Array): Response;
}

/** The methods of a service by their local names (`streamAggregatedResources`). */
export type GrpcServiceDefinition<Service extends DescService> = {
  readonly [Name in keyof Service["method"]]: GrpcMethodDefinition<
    MessageShape<Service["method"][Name]["input"]>,
    MessageShape<Service["method"][Name]["output"]>
  >;
};

/** A generated service as grpc-js wants it, for `Server.addService` and `makeGenericClientConstructor`. */
export function grpcServiceDefinition<Service extends DescService>(service: Service): GrpcServiceDefinition<Service> {
  const methods = service.methods.map((method) => [method.localName, methodDefinition(service, method)]);
  return Object.fromEntries(methods) as GrpcServiceDefinition<Service>;
}

function methodDefinition({ typeName }: DescService, method: DescMethod): GrpcMethodDefinition<never, unknown> {
  const { input, output, methodKind } = method;
  return {
    path: `/${typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (message: MessageShape<typeof input>) => asBuffer(toBinary(input, message)),
    requestDeserialize: (bytes) => fromBinary(input, bytes) as never,
    responseSerialize: (message) => asBuffer(toBinary(output, message as MessageShape<typeof output>)),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
