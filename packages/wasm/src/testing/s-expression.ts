/** A list, a word, or a string, whose bytes begin behind a quote. */
export type Node = string | Node[];

/** Reads one s-expression of the text format. Throws where it isn't one: tests write it. */
export function parseExpression(text: string): Node {
  const tokens = text.matchAll(/;;[^\n]*|\(;[\s\S]*?;\)|"((?:[^"\\]|\\.)*)"|[()]|[^\s()";]+/g);
  const stack: Node[][] = [[]];
  for (const [token, quoted] of tokens) {
    if (token.startsWith(";;") || token.startsWith("(;")) continue;
    const top = stack.at(-1) ?? [];
    if (token === "(") stack.push([]);
    else if (token === ")") {
      stack.pop();
      stack.at(-1)?.push(top);
    } else top.push(quoted === undefined ? token : `"${withoutEscapes(quoted)}`);
  }
  const first = stack[0]?.[0];
  if (first === undefined || stack.length !== 1) throw new Error("parentheses don't match");
  return first;
}

/** A byte string. */
function withoutEscapes(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  return bytes.replace(/\\([0-9a-fA-F]{2}|.)/g, (_all, code: string) => {
    if (code.length === 2) return String.fromCharCode(Number.parseInt(code, 16));
    return { n: "\n", t: "\t", r: "\r" }[code] ?? code;
  });
}

export function isString(node: Node | undefined): node is string {
  return typeof node === "string" && node.startsWith('"');
}

/** The head of a list; "" of anything else. */
export function headOf(node: Node | undefined): string {
  const head = Array.isArray(node) ? node[0] : undefined;
  return typeof head === "string" ? head : "";
}
