// A small HTTP/1.1 client for what h2load can't do. Usage: node client.mjs JOB, a JSON object:
//   {"mode":"closed","port","requests","connections"}        as fast as answers come; prints {"requests"}
//   {"mode":"bursts","port","requests","connections","burst","rate"}
//       an open loop of bursts; prints {"p50","p99"} in microseconds from the time a request was due
//   {"mode":"flood","port","requests","connections","first"}
//       as closed, but each request with a Host, a path and peer metadata of its own
//   {"mode":"connect","port","requests","connections":0,"parallel"}
//       as many at once as "parallel" says, each over a new connection
//   {"mode":"idle","port","connections"}                     one request each, then keeps them open until SIGTERM
// With "tls": true by TLS, whoever the server is. Every answer must be a 200 with a content-length; anything else ends the program with status 1.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { peerHeaders } from "../traffic.mjs";

const job = JSON.parse(process.argv[2]);
const request = Buffer.from(
  `GET ${job.path} HTTP/1.1\r\n${job.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
);

/** One keep-alive connection with one request at a time. */
class Connection {
  #socket;
  #buffered = "";
  #done = null;
  free = true;

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("close", () => fail("the connection was closed"));
    socket.on("error", (error) => fail(error.message));
  }

  /** Without a TIME_WAIT that would keep the port. */
  reset() {
    this.#socket.removeAllListeners("close");
    if (job.tls) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  send(done, bytes = request) {
    this.free = false;
    this.#done = done;
    this.#socket.write(bytes);
  }

  #read(chunk) {
    this.#buffered += chunk.toString("latin1");
    const end = this.#buffered.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(this.#buffered.slice(0, end))?.[1] ?? Number.NaN);
    if (!this.#buffered.startsWith("HTTP/1.1 200") || Number.isNaN(length)) fail(this.#buffered.slice(0, 200));
    if (this.#buffered.length < end + 4 + length) return;
    this.#buffered = "";
    this.free = true;
    this.#done();
  }
}

function fail(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

async function open(count) {
  const connections = [];
  // A few at a time: a listener's backlog is no subject here.
  for (let i = 0; i < count; i += 50) {
    connections.push(...(await Promise.all(Array.from({ length: Math.min(50, count - i) }, openOne))));
  }
  return connections;
}

function openOne() {
  return new Promise((resolve) => {
    const open = () => resolve(new Connection(socket));
    // Without a session to resume: each handshake is a whole one.
    const socket = job.tls
      ? connectTls({ port: job.port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, open)
      : connect(job.port, "127.0.0.1", open);
    socket.on("error", (error) => fail(error.message));
  });
}

function closed(connections, bytesOf = () => request) {
  return new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    const next = (connection) => {
      if (sent === job.requests) return;
      sent++;
      connection.send(() => {
        if (++answered === job.requests) resolve({ requests: answered });
        else next(connection);
      }, bytesOf(sent));
    };
    for (const connection of connections) next(connection);
  });
}

async function connectAnew() {
  let sent = 0;
  const lane = async () => {
    while (sent < job.requests) {
      sent++;
      const connection = await openOne();
      await new Promise((resolve) => connection.send(resolve));
      connection.reset();
    }
  };
  await Promise.all(Array.from({ length: job.parallel }, lane));
  return { requests: sent };
}

function flood(connections) {
  return closed(connections, (sent) => {
    const i = job.first + sent;
    const headers = [["host", `service-${i}.example.com`], ...peerHeaders(`workload-${i}`)];
    return `GET /made/up/${i} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  });
}

function bursts(connections) {
  const times = [];
  const waiting = [];
  let sent = 0;
  const free = [...connections];
  const start = performance.now();
  return new Promise((resolve) => {
    const send = (connection, due) => {
      connection.send(() => {
        times.push(performance.now() - due);
        if (times.length === job.requests) resolve(percentiles(times));
        const next = waiting.shift();
        if (next === undefined) free.push(connection);
        else send(connection, next);
      });
    };
    const one = (due) => {
      const connection = free.pop();
      if (connection === undefined) waiting.push(due);
      else send(connection, due);
    };
    const tick = () => {
      const now = performance.now();
      while (sent < job.requests && start + (sent / job.rate) * 1000 <= now) {
        const due = performance.now();
        for (let i = 0; i < job.burst && sent < job.requests; i++, sent++) one(due);
      }
      if (sent < job.requests) setTimeout(tick, 1);
    };
    tick();
  });
}

function percentiles(times) {
  times.sort((a, b) => a - b);
  const at = (part) => Math.round((times[Math.floor((times.length - 1) * part)] ?? 0) * 1000);
  return { p50: at(0.5), p99: at(0.99) };
}

async function idle(connections) {
  for (const connection of connections) await new Promise((resolve) => connection.send(resolve));
  process.stdout.write(`${JSON.stringify({ open: connections.length })}\n`);
  process.on("SIGTERM", () => process.exit(0));
  await new Promise(() => {});
}

const connections = await open(job.connections);
const run = { closed, flood, bursts, idle, connect: connectAnew }[job.mode];
const keepAlive = setInterval(() => {}, 1 << 30);
process.stdout.write(JSON.stringify(await run(connections)));
clearInterval(keepAlive);
process.exit(0);
