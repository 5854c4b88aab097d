import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CommandError } from "../../mesh/command-error.ts";
import type { CompileRequest, CompileResult } from "./compile-protocol.ts";

const PROGRAM = fileURLToPath(new URL("./compiler-process.js", import.meta.url));

/** The AssemblyScript compiler, loaded once for any number of compilations. */
export class Compiler {
  readonly #child: ChildProcess;

  /** `url` is that of the compiler's module. */
  constructor(url: string) {
    // Flags of this process, such as those of a debugger, are not the compiler's.
    this.#child = fork(PROGRAM, [url], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  /** One after the other. */
  async compile(request: CompileRequest): Promise<CompileResult> {
    const ended = new AbortController();
    const gone = once(this.#child, "exit", { signal: ended.signal }).then(() => {
      throw new CommandError("The AssemblyScript compiler ended without a result. What it said stands above.");
    });
    gone.catch(() => {});
    this.#child.send(request);
    try {
      const [result] = (await Promise.race([once(this.#child, "message", { signal: ended.signal }), gone])) as [
        CompileResult,
      ];
      return result;
    } finally {
      ended.abort();
    }
  }

  close(): void {
    this.#child.kill();
  }
}
