// Checks the walls between the packages: who imports whom, through which door, and that nothing goes round
// in circles. Run as `node scripts/walls.mjs`; prints one line when every wall stands.
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findCircles } from "./circles.mjs";
import { moduleImports } from "./module-imports.mjs";
import { sourceFiles, sourceFilesOfGit } from "./source-files.mjs";
import { outside, rows } from "./walls-table.mjs";
import { findPackages, isExported } from "./workspace.mjs";

/** Checks the tree at `root` and gives the faults, each a line for a human, and the counts of what it saw. */
export function checkWalls(root, table = rows) {
  const packages = findPackages(root);
  const check = { root, table, packages, byName: new Map(packages.map((room) => [room.name, room])), faults: [] };
  checkTable(check);
  for (const room of packages) checkManifest(check, room);

  const counts = { packages: packages.length, modules: 0, imports: 0, crossings: 0, computed: 0 };
  const edges = new Map();
  for (const room of packages) {
    for (const path of sourceFiles(root, room.folder)) {
      counts.modules++;
      edges.set(path, checkModule(check, room, path, counts));
    }
  }
  for (const circle of findCircles(edges)) check.faults.push(`circle: ${circle.join(" → ")}`);
  const onDisk = checkAllSeen(check, edges);
  return { faults: check.faults, counts: { ...counts, onDisk } };
}

/** Rows only name rows above them. */
function checkTable({ table, faults }) {
  const names = Object.keys(table);
  for (const [index, name] of names.entries()) {
    for (const allowed of table[name]) {
      if (!names.slice(0, index).includes(allowed))
        faults.push(`walls-table: the row ${name} names ${allowed}, not above it`);
    }
  }
}

/** The package has a row, and its manifest and its references ask for nothing that the row forbids. */
function checkManifest({ table, byName, faults }, { folder, row, dependencies, references }) {
  if (table[row] === undefined) {
    faults.push(`${folder}: no row in scripts/walls-table.mjs says what ${row} may import`);
    return;
  }
  const allowed = new Set(table[row]);
  for (const name of dependencies) {
    const target = byName.get(name);
    if (target && !allowed.has(target.row))
      faults.push(`${folder}/package.json: ${row} may not depend on ${target.row}`);
  }
  for (const reference of references) {
    const target = posix.basename(reference);
    if (!allowed.has(target)) faults.push(`${folder}/tsconfig.json: ${row} may not reference ${target}`);
  }
}

/** Checks the imports of one module and gives the modules that it needs when it is loaded. */
function checkModule(check, room, path, counts) {
  const { imports, broken } = moduleImports(path, readFileSync(join(check.root, path), "utf8"));
  if (broken) check.faults.push(`${path}: can't be parsed, so its imports are unknown`);
  const needed = [];
  for (const { specifier, line, kind } of imports) {
    counts.imports++;
    const report = (message) => check.faults.push(`${path}:${line}: ${message}`);
    if (kind === "computed") counts.computed++;
    else if (kind === "file" || /^\.{0,2}\/|^\.{1,2}$/.test(specifier)) {
      const target = checkPath(check.root, room, path, specifier, kind, report);
      if (target !== undefined && kind === "static") needed.push(target);
    } else if (checkName(check, room, specifier, report)) counts.crossings++;
  }
  return needed;
}

/** A path stays inside its package and leads somewhere. */
function checkPath(root, { folder }, path, specifier, kind, report) {
  const target = specifier.startsWith("/") ? specifier : posix.join(posix.dirname(path), specifier);
  if (!`${target}/`.startsWith(`${folder}/`)) {
    report(`"${specifier}" leaves the package by path; import the other package by its name`);
    return undefined;
  }
  const source = sourceOf(root, target);
  // A file that a program reads may be built or written later; a module that is imported may not.
  if (source === undefined && kind !== "file") report(`"${specifier}" leads to no file`);
  return source;
}

/** The source of `target`, which may be named as it is, as built, or without its extension. */
function sourceOf(root, target) {
  const stem = target.replace(/\.[cm]?js$/, "");
  const built = stem.replace(/(^|\/)dist\//, "$1src/");
  const candidates = [target, `${stem}.ts`, `${built}.ts`, `${target}.ts`, `${target}/index.ts`];
  return candidates.find((candidate) => statSync(join(root, candidate), { throwIfNoEntry: false })?.isFile());
}

/** A name belongs to a package of the row, is asked for in the manifest, and is one of its doors. True for packages of ours. */
function checkName({ table, byName }, room, specifier, report) {
  if (isBuiltin(specifier) || /^[#~]/.test(specifier)) return false;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const target = byName.get(name);
  if (target === undefined) {
    if (name.startsWith("@mixerless/")) report(`there is no package ${name}`);
    return false;
  }
  if (target !== room) {
    if (!table[room.row]?.includes(target.row)) report(`${room.row} may not import ${target.row}`);
    else if (!room.dependencies.includes(name))
      report(`${name} is missing in the dependencies of ${room.folder}/package.json`);
  }
  if (!isExported(target, `.${specifier.slice(name.length)}`))
    report(`"${specifier}" is inside of ${target.row}, not one of its exports`);
  return target !== room;
}

/** Every source file on disk was seen; a checker that sees nothing must not be content. Gives the number on disk. */
function checkAllSeen({ root, faults }, seen) {
  const files = new Set([...sourceFiles(root), ...(sourceFilesOfGit(root) ?? [])]);
  const onDisk = [...files].filter((path) => path.includes("/") && !outside.includes(path.split("/", 1)[0]));
  for (const path of onDisk) if (!seen.has(path)) faults.push(`${path}: belongs to no package with walls`);
  if (onDisk.length === 0 || seen.size < onDisk.length) {
    faults.push(`only ${seen.size} modules were seen, ${onDisk.length} are on disk`);
  }
  return onDisk.length;
}

function main(root) {
  const { faults, counts } = checkWalls(root);
  for (const fault of faults) console.error(fault);
  const { packages, modules, onDisk, imports, crossings, computed } = counts;
  console.log(
    `walls: ${packages} packages, ${modules} of ${onDisk} modules, ${imports} imports (${crossings} between packages, ` +
      `${computed} computed and unchecked): ${faults.length === 0 ? "every wall stands" : `${faults.length} faults`}`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
}

const script = process.argv[1];
if (script && existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url)) {
  main(resolve(process.argv[2] ?? dirname(dirname(script))));
}
