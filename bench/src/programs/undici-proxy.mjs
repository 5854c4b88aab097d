// The forwarding proxy that one writes in an afternoon: node:http in front, undici's Pool behind.
// Usage: node undici-proxy.mjs PORT BACKEND_PORT
import { createServer } from "node:http";
import { Pool } from "undici";

const [port, backendPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${backendPort}`, { connections: 64, pipelining: 1 });

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function endToEnd(headers) {
  const kept = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!hopByHop.has(headers[i].toString("latin1").toLowerCase())) kept.push(headers[i], headers[i + 1]);
  }
  return kept;
}

const server = createServer((request, response) => {
  const headers = endToEnd(request.rawHeaders);
  headers.push("x-forwarded-proto", "http", "x-forwarded-for", request.socket.remoteAddress ?? "");
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  pool.dispatch(
    { path: request.url, method: request.method, headers, body: hasBody ? request : null },
    {
      onConnect() {},
      onHeaders(status, rawHeaders, resume) {
        const kept = endToEnd(rawHeaders).map((part) => part.toString("latin1"));
        response.writeHead(status, kept);
        response.on("drain", resume);
        return true;
      },
      onData(chunk) {
        return response.write(chunk);
      },
      onComplete() {
        response.end();
      },
      onError() {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});
server.keepAliveTimeout = 0;
server.listen(port, "127.0.0.1");
