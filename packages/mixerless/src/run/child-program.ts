import { spawn } from "node:child_process";
import { CommandError } from "../mesh/command-error.ts";

const PASSED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs a program with this process's input and output, passes signals on to it, and resolves with its end. */
export function runProgram(command: readonly string[], environment: Record<string, string>): Promise<ProgramEnd> {
  const [file = "", ...rest] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, { stdio: "inherit", env: { ...process.env, ...environment } });
    const pass = PASSED.map((signal) => {
      const forward = () => {
        // On a terminal Ctrl-C and Ctrl-\ reach the whole foreground group, so the program has had it already.
        if ((signal === "SIGINT" || signal === "SIGQUIT") && process.stdin.isTTY) return;
        child.kill(signal);
      };
      process.on(signal, forward);
      return () => process.off(signal, forward);
    });
    const settle = () => {
      for (const stop of pass) stop();
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      const exitCode = error.code === "ENOENT" ? 127 : 126;
      reject(new CommandError(`${file} cannot be started: ${error.message}.`, exitCode));
    });
    child.on("exit", (code, signal) => {
      settle();
      resolve({ code, signal });
    });
  });
}

/** Ends this process as the program ended, by the same signal or with the same code. */
export function endLike({ code, signal }: ProgramEnd): void {
  if (signal === null) process.exit(code ?? 0);
  process.kill(process.pid, signal);
  // A signal that this process survives, or a debugger: the shell's number for it.
  setTimeout(() => process.exit(128 + (SIGNAL_NUMBERS[signal] ?? 0)), 200);
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGTERM: 15,
};
