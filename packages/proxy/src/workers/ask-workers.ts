import { textOf } from "./questions.ts";
import type { LivingWorker } from "./worker-group.ts";

type Asked = Pick<LivingWorker, "questions">;

export interface WorkerText {
  readonly status: number;
  readonly text: string;
}

/** The answers of the workers that answer. Rejects when none does. */
export async function askEach(living: readonly Asked[], path: string, query = ""): Promise<WorkerText[]> {
  const asked = living.map(async ({ questions }) => {
    const { status, body } = await questions.ask(path, query);
    return { status, text: await textOf(body) };
  });
  const results = await Promise.allSettled(asked);
  const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (answers.length === 0)
    throw new Error("No worker answers; one that ended is started again. Ask again in a moment.");
  return answers;
}

/** As {@link askEach}, without their statuses. */
export async function askAll(living: readonly Asked[], path: string, query = ""): Promise<string[]> {
  return (await askEach(living, path, query)).map(({ text }) => text);
}
