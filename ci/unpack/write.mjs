// Archives of a folder by the two usual writers of Node.js: node write.mjs FOLDER OUT
import archiver from "archiver";
import fs from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import yazl from "yazl";

const [folder, out] = process.argv.slice(2);
const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  .map((f) => path.relative(folder, path.join(f.parentPath, f.name))).sort();

async function byArchiver(name, options) {
  const archive = archiver("zip", options);
  for (const f of files) archive.append(fs.createReadStream(path.join(folder, f)), { name: f });
  await Promise.all([pipeline(archive, fs.createWriteStream(`${out}/${name}.zip`)), archive.finalize()]);
}

async function byYazl(name, options) {
  const archive = new yazl.ZipFile();
  for (const f of files) archive.addReadStream(fs.createReadStream(path.join(folder, f)), f, options);
  archive.end({ forceZip64Format: Boolean(options.forceZip64Format) });
  await pipeline(archive.outputStream, fs.createWriteStream(`${out}/${name}.zip`));
}

await byArchiver("archiver", { zlib: { level: 6 } });
await byArchiver("archiver-stored", { store: true });
await byArchiver("archiver-zip64", { forceZip64: true });
await byYazl("yazl", {});
await byYazl("yazl-stored", { compress: false });
await byYazl("yazl-zip64", { forceZip64Format: true });
