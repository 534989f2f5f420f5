// Bundle style sheet, script and icon sprite into ../static/build with digests in their names.
// Run by `python -m yunhe.ui.build`: node build.mjs REPOSITORY
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(process.argv[2]);
const out = path.join(here, "..", "static", "build");
const modules = path.join(repository, "node_modules");
const esbuild = createRequire(path.join(repository, "package.json"))("esbuild");
const target = ["chrome100", "firefox100", "safari15"];

async function* walk(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory() && !["build", "node_modules", "__pycache__"].includes(entry.name)) yield* walk(full);
    else if (/\.(html|py|js)$/.test(entry.name)) yield full;
  }
}

// Every word of templates, Python and scripts: a rule of Tabler stays if all its classes are among them.
async function readSources() {
  const words = new Set();
  const icons = new Set();
  for await (const file of walk(path.join(here, "..", ".."))) {
    const text = await readFile(file, "utf8");
    for (const word of text.match(/[A-Za-z][\w-]*/g) ?? []) words.add(word);
    for (const found of text.matchAll(/{%\s*icon\s+"([a-z0-9-]+)"|icon="([a-z0-9-]+)"/g)) icons.add(found[1] ?? found[2]);
  }
  return { words, icons };
}

function closing(css, open) {
  for (let depth = 0, i = open; i < css.length; i++) {
    const c = css[i];
    if (c === '"' || c === "'") i = css.indexOf(c, i + 1);
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) return i;
  }
  throw new Error("style sheet ends inside a block");
}

function splitList(selectors) {
  const parts = [];
  let depth = 0;
  let part = "";
  for (const c of selectors) {
    if (c === "(" || c === "[") depth++;
    if (c === ")" || c === "]") depth--;
    if (c === "," && depth === 0) { parts.push(part); part = ""; } else part += c;
  }
  return [...parts, part];
}

function purge(css, words) {
  const used = (selector) => (selector.match(/\.(?:\\.|[\w-])+/g) ?? []).every((name) => words.has(name.slice(1)));
  let kept = "";
  for (let at = 0; at < css.length;) {
    const open = css.indexOf("{", at);
    const semicolon = css.indexOf(";", at);
    if (open < 0) break;
    if (css[at] === "@" && semicolon >= 0 && semicolon < open) { kept += css.slice(at, semicolon + 1); at = semicolon + 1; continue; }
    const end = closing(css, open);
    const prelude = css.slice(at, open).trim();
    const body = css.slice(open + 1, end);
    if (/^@(media|supports|layer|container)/.test(prelude)) {
      const inner = purge(body, words);
      if (inner) kept += `${prelude}{${inner}}`;
    } else if (prelude.startsWith("@")) kept += `${prelude}{${body}}`;
    else {
      const selectors = splitList(prelude).filter(used);
      if (selectors.length) kept += `${selectors.join(",")}{${body}}`;
    }
    at = end + 1;
  }
  return kept;
}

const manifest = {};
async function emit(name, content) {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${path.parse(name).name}.${digest}${path.parse(name).ext}`;
  await writeFile(path.join(out, file), content);
  return file;
}

// The content policy allows no data: addresses; small pictures inside the sheet become files.
async function liftPictures(css) {
  const found = [...new Set(css.match(/url\((["'])data:image\/svg\+xml[\s\S]*?\1\)/g) ?? [])];
  for (const url of found) {
    const data = url.slice(5, -2);
    const svg = decodeURIComponent(data.slice(data.indexOf(",") + 1));
    css = css.replaceAll(url, `url("./${await emit("picture.svg", svg)}")`);
  }
  return css;
}

async function sprite(icons) {
  let symbols = "";
  for (const name of [...icons].sort()) {
    const svg = await readFile(path.join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const inner = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/\s*\n\s*/g, "");
    symbols += `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols}</svg>\n`;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { words, icons } = await readSources();
const tabler = (await readFile(path.join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8"))
  .replace(/\/\*[\s\S]*?\*\//g, "").replace(/@charset[^;]*;/g, "");
const ours = await readFile(path.join(here, "yunhe.css"), "utf8");
const css = await liftPictures(purge(tabler, words) + ours);
manifest["yunhe.css"] = await emit("yunhe.css", (await esbuild.transform(css, { loader: "css", minify: true, target })).code);
const bundle = await esbuild.build({ entryPoints: [path.join(here, "yunhe.js")], bundle: true, minify: true, format: "esm", target, write: false });
manifest["yunhe.js"] = await emit("yunhe.js", bundle.outputFiles[0].text);
manifest["icons.svg"] = await emit("icons.svg", await sprite(icons));
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
for (const name of Object.values(manifest)) console.log(name);
