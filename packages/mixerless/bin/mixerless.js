#!/usr/bin/env node
// npm links a package's commands before it builds the package, and leaves out those whose file
// is not there yet. So this file is committed, and the built program is imported when it runs.
await import("../dist/main.js");
