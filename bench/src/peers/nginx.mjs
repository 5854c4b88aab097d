import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, listening, PROXY_CPU, startProgram } from "../process.mjs";

export const nginx = {
  name: "nginx",
  get program() {
    return findProgram("nginx");
  },
  start({ port, backendPort, directory, features, label = "nginx" }) {
    return startNginx(label, PROXY_CPU, port, directory, proxyServer(port, backendPort, directory, features));
  },
};

/** The backend of all rows: a head of about 270 bytes and 105 bytes of body, from memory. */
export function startNginxBackend(port, directory, cpu) {
  return startNginx(`nginx-backend-${port}`, cpu, port, directory, backendServer(port));
}

async function startNginx(name, cpu, port, directory, server) {
  const prefix = join(directory, `${name}.d`);
  mkdirSync(prefix, { recursive: true });
  const file = join(directory, `${name}.conf`);
  writeFileSync(file, config(prefix, server));
  const args = ["-e", join(prefix, "error.log"), "-c", file];
  const child = startProgram(cpu, findProgram("nginx"), args, join(directory, `${name}.out`));
  await listening(child, port, name);
  return { name, child, port };
}

function config(prefix, server) {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path ${prefix}/${one};`);
  return `
daemon off;
worker_processes 1;
pid ${prefix}/pid;
error_log ${prefix}/error.log warn;
events { worker_connections 8192; }
http {
  ${paths.join("\n  ")}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  ${server}
}
`;
}

// A request id and x-forwarded-proto, as the sidecar adds; two response headers are looked at for the log.
function proxyServer(port, backendPort, directory, { log, serverTls, clientTls }) {
  return `
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000000; }
  log_format json escape=json '{"start_time":"$time_iso8601","method":"$request_method","path":"$request_uri",'
    '"protocol":"$server_protocol","response_code":$status,"bytes_received":$request_length,"bytes_sent":$body_bytes_sent,'
    '"duration":$request_time,"user_agent":"$http_user_agent","request_id":"$request_id","authority":"$host",'
    '"upstream_host":"$upstream_addr","upstream_service_time":"$upstream_response_time",'
    '"downstream_remote_address":"$remote_addr:$remote_port"}';
  server {
    listen 127.0.0.1:${port}${serverTls === undefined ? "" : " ssl"};
    ${serverTls === undefined ? "" : serverDirectives(serverTls)}
    ${log ? `access_log ${join(directory, "nginx.log.json")} json buffer=64k flush=1s;` : ""}
    location / {
      proxy_pass ${clientTls === undefined ? "http" : "https"}://backend;
      ${clientTls === undefined ? "" : clientDirectives(clientTls)}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`;
}

function serverDirectives({ cert, key, ca }) {
  const verify = ca === undefined ? "" : `ssl_client_certificate ${ca}; ssl_verify_client on;`;
  const tickets = "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache off;";
  return `ssl_certificate ${cert}; ssl_certificate_key ${key}; ${tickets} ${verify}`;
}

function clientDirectives({ cert, key, ca }) {
  const verify = `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${ca}; proxy_ssl_name server;`;
  return `proxy_ssl_certificate ${cert}; proxy_ssl_certificate_key ${key}; proxy_ssl_protocols TLSv1.2 TLSv1.3; ${verify}`;
}

function backendServer(port) {
  const body = JSON.stringify({
    id: 7,
    title: "The Comedy of Errors",
    author: "William Shakespeare",
    year: 1595,
    pages: 200,
  });
  return `
  server {
    listen 127.0.0.1:${port};
    location / {
      default_type application/json;
      add_header X-Correlation-Id "6f1c6a52-1b0b-4a0e-8d7a-2e9f6d1f2a44";
      add_header Cache-Control "private, max-age=0";
      return 200 '${body.padEnd(105)}';
    }
  }`;
}
