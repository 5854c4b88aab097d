// A gRPC service and a client of it that resolves by xDS, without generated code.
//   node echo.mjs serve NAME PORT      answers every call with its name
//   node echo.mjs call TARGET COUNT    prints the answers as a JSON list; GRPC_XDS_BOOTSTRAP_CONFIG names the control plane
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";

const METHOD = "/interop.Echo/Say";
const identity = (value) => value;
const [role, first = "", second = ""] = process.argv.slice(2);

if (role === "serve") {
  const server = new Server();
  const say = { path: METHOD, requestStream: false, responseStream: false };
  const codec = { requestDeserialize: identity, responseSerialize: identity };
  server.addService({ say: { ...say, ...codec } }, { say: (_call, done) => done(null, Buffer.from(first)) });
  server.bindAsync(`127.0.0.1:${second}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
    console.log("serving");
  });
} else {
  register();
  const client = new Client(first, credentials.createInsecure());
  const answers = [];
  for (let call = 0; call < Number(second); call++) answers.push(await say(client));
  console.log(JSON.stringify(answers));
  process.exit(0);
}

function say(client) {
  const deadline = Date.now() + 20_000;
  return new Promise((resolve) => {
    client.makeUnaryRequest(METHOD, identity, identity, Buffer.alloc(0), { deadline }, (error, answer) => {
      resolve(error === null ? answer.toString() : `error ${error.code}: ${error.details}`);
    });
  });
}
