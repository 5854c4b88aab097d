"""Calls the echo service as echo.mjs does, with gRPC's C core, which has an xDS client of its own."""
import json
import sys

import grpc

channel = grpc.insecure_channel(sys.argv[1])
say = channel.unary_unary("/interop.Echo/Say")
answers = []
for _ in range(int(sys.argv[2])):
    try:
        answers.append(say(b"", timeout=20, wait_for_ready=True).decode())
    except grpc.RpcError as error:
        answers.append(f"error {error.code()}: {error.details()}")
print(json.dumps(answers))
