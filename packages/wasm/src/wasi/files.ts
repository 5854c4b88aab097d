import type { WasmVm } from "../vm/vm.ts";
import { Errno } from "./errno.ts";

const INFO = 2;
const ERROR = 4;
const STDOUT = 1;
const STDERR = 2;
const LIST_LIMIT = 1024;

/** Descriptors: only output and errors exist, and both are the log. */
export function fileCalls(vm: WasmVm) {
  const lines = new LineBuffers(vm);
  const isOutput = (fd: number) => fd === STDOUT || fd === STDERR;
  const known = (fd: number) => (isOutput(fd) ? Errno.Success : Errno.BadFile);

  const write = (name: string, fd: number, list: number, count: number, written: number): number => {
    if (--vm.work < 0) vm.overdrawn(name);
    if (!isOutput(fd)) return Errno.BadFile;
    const text = gather(vm, name, list, count >>> 0);
    if (text === null || !vm.memory.writeU32(written, text.length)) return Errno.Fault;
    if (text.length > 0) lines.write(fd, text);
    return Errno.Success;
  };

  const calls = {
    fd_write: (fd: number, list: number, count: number, written: number) => write("fd_write", fd, list, count, written),
    fd_pwrite: (fd: number, list: number, count: number, _offset: bigint, written: number) =>
      write("fd_pwrite", fd, list, count, written),
    fd_read: () => Errno.NoSystem,
    fd_pread: () => Errno.NoSystem,
    fd_seek: () => Errno.Success,
    fd_close: () => Errno.Success,
    fd_tell(fd: number, cell: number) {
      if (!isOutput(fd)) return Errno.BadFile;
      return vm.memory.writeU64(cell, 0) ? Errno.Success : Errno.Fault;
    },
    fd_fdstat_get(fd: number, cell: number) {
      if (!isOutput(fd)) return Errno.BadFile;
      if (!vm.memory.holds(cell, 24)) return Errno.Fault;
      for (const [at, value] of [0, WRITE_RIGHT, 0].entries()) vm.memory.writeU64((cell >>> 0) + at * 8, value);
      return Errno.Success;
    },
    fd_fdstat_set_flags: () => Errno.NoSystem,
    fd_fdstat_set_rights: known,
    fd_filestat_get: () => Errno.BadFile,
    fd_filestat_set_size: known,
    fd_filestat_set_times: known,
    fd_datasync: known,
    fd_sync: known,
    fd_allocate: known,
    fd_advise: () => Errno.Success,
    fd_prestat_get: () => Errno.BadFile,
    fd_prestat_dir_name: () => Errno.NoSystem,
    fd_readdir: (_fd: number, _buffer: number, _size: number, _cookie: bigint, used: number) =>
      vm.memory.writeU32(used, 0) ? Errno.NotDirectory : Errno.Fault,
    fd_renumber: (fd: number, to: number) => (isOutput(fd) && isOutput(to) ? Errno.NotSupported : Errno.BadFile),
    path_open: () => Errno.NoEntry,
    path_readlink: (_fd: number, _path: number, _length: number, _buffer: number, _size: number, used: number) =>
      vm.memory.writeU32(used, 0) ? Errno.NotSupported : Errno.Fault,
    sock_accept: (_fd: number, _flags: number, cell: number) => zeroed(vm, cell),
    sock_recv: (_fd: number, _list: number, _count: number, _flags: number, size: number, flags: number) =>
      vm.memory.writeU32(flags, 0) ? zeroed(vm, size) : Errno.Fault,
    sock_send: (_fd: number, _list: number, _count: number, _flags: number, size: number) => zeroed(vm, size),
    sock_shutdown: () => Errno.NotSupported,
  };
  return { calls, flush: () => lines.flush() };
}

/** The right to write. */
const WRITE_RIGHT = 64;

function zeroed(vm: WasmVm, cell: number): number {
  return vm.memory.writeU32(cell, 0) ? Errno.NotSupported : Errno.Fault;
}

/** What a list of `{pointer, length}` points at; null: out of bounds. */
function gather(vm: WasmVm, name: string, list: number, count: number): string | null {
  if (count > LIST_LIMIT || !vm.memory.holds(list, count * 8)) return null;
  let text = "";
  for (let i = 0; i < count; i++) {
    const entry = (list >>> 0) + i * 8;
    const part = vm.memory.string(vm.memory.readU32(entry), vm.memory.readU32(entry + 4));
    if (part === null) return null;
    vm.work -= part.length >>> 10;
    // The same bytes can be in the list any number of times.
    if (vm.work < 0) vm.overdrawn(name);
    text += part;
  }
  return text;
}

/**
 * One message per line. Upstream logs each write by itself; some runtimes write a panic in dozens of pieces, so what
 * has no line feed yet waits for it, or for the end of the callback.
 */
class LineBuffers {
  readonly #vm: WasmVm;
  readonly #waiting = new Map<number, string>();

  constructor(vm: WasmVm) {
    this.#vm = vm;
  }

  write(fd: number, text: string): void {
    // Only the new piece is looked at: output in tiny pieces must not cost more with each of them.
    const before = this.#waiting.get(fd) ?? "";
    const end = text.lastIndexOf("\n");
    if (end >= 0) this.#log(fd, before + text.slice(0, end));
    const rest = end >= 0 ? text.slice(end + 1) : before + text;
    if (rest.length > this.#vm.limits.logBytes) {
      this.#log(fd, rest);
      this.#waiting.delete(fd);
    } else if (rest.length > 0) this.#waiting.set(fd, rest);
    else this.#waiting.delete(fd);
  }

  flush(): void {
    if (this.#waiting.size === 0) return;
    for (const [fd, text] of this.#waiting) this.#log(fd, text);
    this.#waiting.clear();
  }

  #log(fd: number, text: string): void {
    this.#vm.log(fd === STDERR ? ERROR : INFO, text);
  }
}
