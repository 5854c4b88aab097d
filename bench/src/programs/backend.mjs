// Answers every request head with the same 200, for machines without nginx. Usage: node backend.mjs PORT
import { createServer } from "node:net";

const body = JSON.stringify({ id: 7, title: "The Comedy of Errors", author: "William Shakespeare", year: 1595 }).padEnd(
  105,
);
const answer = [
  "HTTP/1.1 200 OK",
  "Server: bench",
  "Date: Fri, 27 Nov 2026 12:00:00 GMT",
  "Content-Type: application/json",
  `Content-Length: ${body.length}`,
  "X-Correlation-Id: 6f1c6a52-1b0b-4a0e-8d7a-2e9f6d1f2a44",
  "Cache-Control: private, max-age=0",
  "",
  body,
].join("\r\n");

createServer({ noDelay: true }, (socket) => {
  let rest = "";
  socket.on("data", (chunk) => {
    const heads = (rest + chunk.toString("latin1")).split("\r\n\r\n");
    rest = heads.pop() ?? "";
    if (heads.length > 0) socket.write(answer.repeat(heads.length));
  });
  socket.on("error", () => {});
}).listen(Number(process.argv[2]), "127.0.0.1");
