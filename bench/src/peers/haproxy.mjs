import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, listening, PROXY_CPU, startProgram } from "../process.mjs";

export const haproxy = {
  name: "haproxy",
  get program() {
    return findProgram("haproxy");
  },
  async start({ port, backendPort, directory, features, label = "haproxy" }) {
    const file = join(directory, `${label}.cfg`);
    writeFileSync(file, config(port, backendPort, features));
    const child = startProgram(PROXY_CPU, findProgram("haproxy"), ["-db", "-f", file], join(directory, `${label}.out`));
    await listening(child, port, "haproxy");
    return { name: "haproxy", child, port };
  },
};

function config(port, backendPort, { serverTls, clientTls }) {
  const verify = serverTls?.ca === undefined ? "" : ` ca-file ${serverTls.ca} verify required`;
  const bind = serverTls === undefined ? "" : ` ssl crt ${serverTls.both} alpn http/1.1 no-tls-tickets${verify}`;
  const server = clientTls === undefined ? "" : ` ssl crt ${clientTls.both} ca-file ${clientTls.ca} verify required`;
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 10s
  timeout client 3600s
  timeout server 3600s
  option http-keep-alive
  http-reuse always
frontend in
  bind 127.0.0.1:${port}${bind}
  unique-id-format %{+X}o%ci%cp%Ts%rt
  http-request set-header x-request-id %[unique-id]
  http-request set-header x-forwarded-proto http
  default_backend out
backend out
  server one 127.0.0.1:${backendPort}${server}
`;
}
