// Memory and right bytes under load, by hand: idle connections, slow readers, large bodies both ways.
//   npx tsc -b && node packages/proxy/test/load/main.mjs [--idle 10000] [--readers 1000] [--megabytes 40] [--streams 4]
// Prints one line for each stage: what was done, the proxy's memory, what that is for each connection. Exits with 1
// when a byte was wrong. The limit of open files must be above 2 × idle + 1000 (ulimit -n).
import { fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { parseArgs } from "node:util";

const options = { idle: "10000", readers: "1000", megabytes: "40", streams: "4", large: "8" };
const { values } = parseArgs({
  options: Object.fromEntries(Object.entries(options).map(([name, text]) => [name, { type: "string", default: text }])),
});
const [idle, readers, megabytes, streams, large] = Object.keys(options).map((name) => Number(values[name]));

const MIB = 1024 * 1024;
const block = randomBytes(64 * 1024);

/** GET /bytes/N answers N bytes, POST gives back the body that it gets, with its length where that is known. */
const origin = createServer((request, response) => {
  response.on("error", () => {});
  if (request.method === "POST") {
    const length = request.headers["content-length"];
    if (length !== undefined) response.setHeader("content-length", length);
    request.pipe(response);
    return;
  }
  let left = Number(request.url.slice("/bytes/".length));
  response.setHeader("content-length", left);
  const more = () => {
    while (left > 0 && !response.destroyed) {
      const bytes = block.subarray(0, Math.min(block.length, left));
      left -= bytes.length;
      if (!response.write(bytes)) {
        response.once("drain", more);
        return;
      }
    }
    response.end();
  };
  more();
});

// An origin that closed while the system still has bytes to send might lose them when the system is short of memory.
origin.keepAliveTimeout = 0;

const listening = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
const message = (child) => new Promise((resolve) => child.once("message", resolve));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const proxy = fork(new URL("./proxy-process.mjs", import.meta.url), [String(await listening(origin))]);
const port = await message(proxy);

async function memory() {
  await pause(1500);
  proxy.send("memory");
  return message(proxy);
}

const base = await memory();
const mebibytes = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

function report(what, now, count) {
  const per = count === 0 ? "" : `  ${((now.rss - base.rss) / count / 1024).toFixed(1)} KiB each`;
  console.log(
    `${what.padEnd(52)} rss ${mebibytes(now.rss)}  heap ${mebibytes(now.heapUsed)}  external ${mebibytes(now.external)}${per}`,
  );
}

function open() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

async function openMany(count) {
  const sockets = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(200, count - sockets.length) }, open))));
  }
  return sockets;
}

const closed = (sockets) => {
  for (const socket of sockets) socket.destroy();
};

report("started", base, 0);

// Idle keep-alive connections, each of which has carried one request.
const quiet = await openMany(idle);
for (let at = 0; at < quiet.length; at += 200) {
  await Promise.all(
    quiet.slice(at, at + 200).map((socket) => {
      return new Promise((resolve) => {
        socket.once("data", resolve);
        socket.write("GET /bytes/2 HTTP/1.1\r\nhost: a\r\n\r\n");
      });
    }),
  );
}
report(`${idle} idle connections`, await memory(), idle);
closed(quiet);
report("after they were closed", await memory(), 0);

// Clients that ask for much and read nothing, then read all of it.
const slow = await openMany(readers);
const expected = createHash("sha1");
for (let left = large * MIB; left > 0; left -= block.length) expected.update(block);
const digest = expected.digest("hex");
for (const socket of slow) {
  socket.pause();
  socket.write(`GET /bytes/${large * MIB} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
}
let previous = await memory();
for (let now = await memory(); Math.abs(now.rss - previous.rss) > MIB; now = await memory()) previous = now;
report(`${readers} readers that read nothing of ${large} MiB`, previous, readers);
let right = 0;
await Promise.all(slow.map((socket) => bodyDigest(socket).then((got) => (right += got === digest ? 1 : 0))));
report(`${right} of them got all of it, right`, await memory(), 0);
closed(slow);

/** The checksum of the one response on a connection that ends with it. */
function bodyDigest(socket) {
  return new Promise((resolve) => {
    const hash = createHash("sha1");
    let head = Buffer.alloc(0);
    let inBody = false;
    socket.on("data", (chunk) => {
      if (inBody) {
        hash.update(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      inBody = true;
      hash.update(head.subarray(end + 4));
    });
    socket.on("close", () => resolve(hash.digest("hex")));
    socket.resume();
  });
}

// Large bodies both ways at once, every other one in chunks.
function echoed(i) {
  const sent = createHash("sha1");
  const got = createHash("sha1");
  const headers = i % 2 === 0 ? { "content-length": megabytes * MIB } : {};
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", method: "POST", agent: false, headers }, (incoming) => {
      incoming.on("data", (chunk) => got.update(chunk));
      incoming.on("end", () => resolve(sent.digest("hex") === got.digest("hex")));
    });
    outgoing.on("error", reject);
    let left = megabytes * MIB;
    const more = () => {
      while (left > 0) {
        const bytes = randomBytes(Math.min(100_000, left));
        left -= bytes.length;
        sent.update(bytes);
        if (!outgoing.write(bytes)) {
          outgoing.once("drain", more);
          return;
        }
      }
      outgoing.end();
    };
    more();
  });
}

let peak = 0;
const watch = setInterval(() => proxy.send("memory"), 200);
proxy.on("message", ({ rss }) => {
  peak = Math.max(peak, rss);
});
const outcomes = await Promise.all(Array.from({ length: streams }, (_, i) => echoed(i)));
clearInterval(watch);
await pause(500);
const sound = outcomes.filter((outcome) => outcome).length;
report(`${sound} of ${streams} × ${megabytes} MiB both ways at once, right`, await memory(), 0);
console.log(`most memory meanwhile: rss ${mebibytes(peak)}`);
proxy.disconnect();
origin.closeAllConnections();
origin.close();
process.exitCode = right === readers && sound === streams ? 0 : 1;
process.exit();
