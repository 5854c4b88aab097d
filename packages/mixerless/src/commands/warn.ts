/** A remark that does not belong to the output. */
export function warn(message: string): void {
  process.stderr.write(`mixerless: ${message}\n`);
}
