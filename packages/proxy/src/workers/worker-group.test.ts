import { VirtualClock } from "@mixerless/clock";
import { expect, it } from "vitest";
import { Answers } from "./answers.ts";
import type { FromWorker, StartWorker, ToWorker, WorkerEvents } from "./messages.ts";
import { textOf } from "./questions.ts";
import { WorkerGroup } from "./worker-group.ts";

/** A process that is none. */
class FakeWorker {
  readonly told: ToWorker[] = [];
  readonly events: WorkerEvents;
  killed = false;
  answer: (message: ToWorker) => void = () => {};

  constructor(events: WorkerEvents) {
    this.events = events;
  }

  says(message: FromWorker): void {
    this.events.onMessage(message);
  }
}

function group(count: number) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const died: number[] = [];
  const workers: FakeWorker[] = [];
  const startWorker: StartWorker = (events) => {
    const worker = new FakeWorker(events);
    workers.push(worker);
    return {
      pid: 100 + workers.length,
      send: (message) => {
        worker.told.push(message);
        worker.answer(message);
      },
      kill: () => {
        worker.killed = true;
        events.onExit("signal SIGKILL");
      },
    };
  };
  const made = new WorkerGroup({
    ...{ clock, count, startWorker },
    log: (message) => said.push(message),
    introduction: () => [{ type: "reopen" }],
    onState: () => {},
    onWants: () => {},
    onDeath: (number) => died.push(number),
  });
  return { clock, said, died, workers, made };
}

/** A group whose workers have all started. */
async function started(count: number) {
  const all = group(count);
  const start = all.made.start();
  for (const worker of all.workers) worker.says({ type: "started" });
  await start;
  return all;
}

it("names a worker that ended and starts another one, at once if it was old", async () => {
  const { clock, said, died, workers, made } = await started(2);
  clock.advance(10_000);
  workers[1]?.events.onExit("signal SIGKILL");
  expect(said).toEqual(["Worker 2 (pid 102) ended with signal SIGKILL; another one starts."]);
  expect(died).toEqual([2]);
  clock.advance(0);
  expect(workers).toHaveLength(3);
  expect(workers[2]?.told).toEqual([{ type: "reopen" }]);
  expect(made.living.map(({ number }) => number)).toEqual([1, 3]);
});

it("waits longer and longer for workers that end young", async () => {
  const { clock, said, workers } = await started(1);
  const delays: number[] = [];
  for (let i = 0; i < 9; i++) {
    workers.at(-1)?.events.onExit("status 1");
    const delay = Number(/in (\d+) ms/.exec(said.at(-1) ?? "")?.[1]);
    delays.push(delay);
    clock.advance(delay);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

it("does not start when a worker ends before it serves, or says why it can't", async () => {
  const first = group(2);
  const start = first.made.start();
  first.workers[0]?.events.onExit("status 1");
  await expect(start).rejects.toThrow("Worker 1 (pid 101) ended with status 1 before it served.");
  const second = group(1);
  const other = second.made.start();
  second.workers[0]?.says({ type: "failed", reason: "no port" });
  await expect(other).rejects.toThrow("no port");
  expect(second.workers[0]?.killed).toBe(true);
});

it("tells all to stop, ends those that don't, and starts none again", async () => {
  const { clock, said, workers, made } = await started(2);
  const closed = made.close();
  workers[0]?.events.onExit("status 0");
  expect(workers[1]?.told.at(-1)).toEqual({ type: "stop" });
  expect(workers[1]?.killed).toBe(false);
  clock.advance(2000);
  await closed;
  expect(workers[1]?.killed).toBe(true);
  clock.advance(20_000);
  expect(workers).toHaveLength(2);
  expect(said).toEqual([]);
});

it("gets an answer a piece at a time, only as fast as it is read", async () => {
  const { workers, made } = await started(1);
  const [worker] = workers;
  let pieces = 0;
  const body = (async function* () {
    for (pieces = 1; pieces <= 3; pieces++) yield `piece ${pieces}\n`;
  })();
  const handler = { path: "/x", help: "", mutates: false, handle: () => ({ body, contentType: "text/x" }) };
  const answers = new Answers([handler], (message) => worker?.says(message));
  if (worker !== undefined)
    worker.answer = (message) => {
      if (message.type === "ask") void answers.asked(message);
      if (message.type === "next") void answers.next(message.id);
      if (message.type === "cancel") answers.cancel(message.id);
    };
  const questions = made.living[0]?.questions;
  if (questions === undefined) throw new Error("no worker lives");
  const answer = await questions.ask("/x");
  expect([answer.status, answer.contentType, pieces]).toEqual([200, "text/x", 0]);
  expect(await textOf(answer.body)).toBe("piece 1\npiece 2\npiece 3\n");
  await expect(questions.ask("/y")).rejects.toThrow("there is no /y");
});

it("does not wait for ever for an answer, nor for one of a worker that ended", async () => {
  const { clock, workers, made } = await started(1);
  const questions = made.living[0]?.questions;
  const slow = expect(questions?.ask("/x")).rejects.toThrow("did not answer within 5 s");
  clock.advance(5000);
  await slow;
  const lost = expect(questions?.ask("/x")).rejects.toThrow("the worker ended with status 7");
  workers[0]?.events.onExit("status 7");
  await lost;
  await expect(questions?.ask("/x")).rejects.toThrow("the worker has ended");
});
