// Generates packages/wire/src/generated: see README.md beside this file.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { descriptorsModule } from "./descriptors-module.js";
import { moduleFiles } from "./module-files.js";
import { locate, readProto, roots } from "./sources.js";

const here = import.meta.dirname;
const build = join(here, "node_modules/.build");
const output = join(here, "../../packages/wire/src/generated");

const staged = stageClosure(roots());
compile();
const modules = moduleFiles(join(build, "es"));
rmSync(output, { recursive: true, force: true });
for (const [path, text] of modules) write(join(output, path), text);
for (const [path, text] of descriptorsModule(readFileSync(join(build, "set.binpb")))) write(join(output, path), text);
console.log(`${staged} files staged, ${modules.length} modules written`);

function stageClosure(wanted) {
  rmSync(build, { recursive: true, force: true });
  const seen = new Set();
  const queue = [...wanted];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path) || path.startsWith("google/protobuf/")) continue;
    seen.add(path);
    const file = locate(path);
    if (file === undefined) throw new Error(`${path} is imported but found nowhere`);
    const text = readProto(path, file);
    write(join(build, "proto", path), text);
    for (const [, dependency] of text.matchAll(/^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"/gm))
      queue.push(dependency);
  }
  return seen.size;
}

function compile() {
  write(join(build, "proto/buf.yaml"), "version: v2\n");
  // strategy all: one run of the plugin instead of one per folder, seconds instead of minutes.
  const plugin = {
    local: join(here, "node_modules/.bin/protoc-gen-es"),
    out: "es",
    strategy: "all",
    opt: ["target=js+dts", "import_extension=js"],
  };
  write(join(build, "buf.gen.yaml"), JSON.stringify({ version: "v2", plugins: [plugin] }));
  // Without source information no upstream comment reaches our files.
  buf("build", "proto", "--exclude-source-info", "-o", "image.binpb");
  buf("build", "proto", "--exclude-source-info", "--as-file-descriptor-set", "-o", "set.binpb");
  buf("generate", "image.binpb", "--template", "buf.gen.yaml");
}

function buf(...args) {
  execFileSync(join(here, "node_modules/.bin/buf"), args, { cwd: build, stdio: "inherit" });
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
