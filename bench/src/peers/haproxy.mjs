import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, listening, PROXY_CPU, startProgram } from "../process.mjs";

export const haproxy = {
  name: "haproxy",
  get program() {
    return findProgram("haproxy");
  },
  async start({ port, backendPort, directory }) {
    const file = join(directory, "haproxy.cfg");
    writeFileSync(file, config(port, backendPort));
    const child = startProgram(PROXY_CPU, findProgram("haproxy"), ["-db", "-f", file], join(directory, "haproxy.out"));
    await listening(child, port, "haproxy");
    return { name: "haproxy", child, port };
  },
};

function config(port, backendPort) {
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
  bind 127.0.0.1:${port}
  unique-id-format %{+X}o%ci%cp%Ts%rt
  http-request set-header x-request-id %[unique-id]
  http-request set-header x-forwarded-proto http
  default_backend out
backend out
  server one 127.0.0.1:${backendPort}
`;
}
