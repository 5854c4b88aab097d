import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** A gRPC service with its handlers, ready to be added to a server. */
export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** The handler of one method: messages come decoded, responses may be plain objects of the message's shape. */
export type GrpcHandler<Method> = Method extends {
  methodKind: infer Kind;
  input: infer Input extends DescMessage;
  output: infer Output extends DescMessage;
}
  ? Kind extends "unary"
    ? handleUnaryCall<MessageShape<Input>, MessageInitShape<Output>>
    : Kind extends "server_streaming"
      ? handleServerStreamingCall<MessageShape<Input>, MessageInitShape<Output>>
      : Kind extends "client_streaming"
        ? handleClientStreamingCall<MessageShape<Input>, MessageInitShape<Output>>
        : handleBidiStreamingCall<MessageShape<Input>, MessageInitShape<Output>>
  : never;

export type GrpcHandlers<Service extends DescService> = {
  [Name in keyof Service["method"]]: GrpcHandler<Service["method"][Name]>;
};

/** Binds handlers, by their method's local name (`createCertificate`), to a generated service. */
export function createGrpcService<Service extends DescService>(
  service: Service,
  handlers: GrpcHandlers<Service>,
): GrpcService {
  const methods = service.methods.map((method) => [method.localName, grpcMethod(method)]);
  return {
    definition: Object.fromEntries(methods) as ServiceDefinition,
    implementation: handlers as unknown as UntypedServiceImplementation,
  };
}

/** How to reach one method and code its messages, for both ends. Structurally what `@grpc/grpc-js` takes. */
export interface GrpcMethod<Input extends DescMessage, Output extends DescMessage> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (request: MessageInitShape<Input>) => Buffer;
  readonly requestDeserialize: (bytes: Uint8Array) => MessageShape<Input>;
  readonly responseSerialize: (response: MessageInitShape<Output>) => Buffer;
  readonly responseDeserialize: (bytes: Uint8Array) => MessageShape<Output>;
}

/** The codecs and the path of a generated method. */
export function grpcMethod<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethod & { readonly input: Input; readonly output: Output },
): GrpcMethod<Input, Output> {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (request) => encode(input, request),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (response) => encode(output, response),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

function encode<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
