/** What is said about a path. */
interface Entry {
  readonly path: string;
  readonly help: string;
  readonly mutates: boolean;
}

const OWN: readonly Entry[] = [
  { path: "/", help: "this page", mutates: false },
  { path: "/help", help: "this list", mutates: false },
];

/** Every path with what it is for, as text. */
export function helpText(handlers: Iterable<Entry>): string {
  const lines = sorted(handlers).map(({ path, help, mutates }) => `  ${path}: ${help}${mutates ? " (POST)" : ""}`);
  return `admin commands are:\n${lines.join("\n")}\n`;
}

/** The same as a page with links, and buttons for what changes something. */
export function helpPage(handlers: Iterable<Entry>): string {
  const rows = sorted(handlers).map(({ path, help, mutates }) => {
    const name = escapeHtml(path);
    const target = escapeHtml(path.slice(1));
    const link = mutates
      ? `<form action="${target}" method="post"><button>${name}</button></form>`
      : `<a href="${target}">${name}</a>`;
    return `<tr><td>${link}</td><td>${escapeHtml(help)}</td></tr>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>admin</title>
<style>body{font-family:monospace}td{padding:.2em 1em .2em 0}form{margin:0}</style></head>
<body><table>
${rows.join("\n")}
</table></body></html>
`;
}

function sorted(handlers: Iterable<Entry>): Entry[] {
  return [...OWN, ...handlers].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
