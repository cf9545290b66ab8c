import { buildManifest } from '../../../src/snapshot/manifest/manifest.js';
import { type ZipContent, zipPieces } from '../../../src/snapshot/zip/zip-writer.js';
import { sha256 } from '../support/local-store.js';
import type { Files, World } from '../support/world.js';

/** The content of a zip of these files, captured in this world. */
export async function contentOf(
  world: World,
  files: Files,
  compression: ZipContent['compression'] = 'fast',
): Promise<ZipContent> {
  const { directory, files: captured } = await world.capture(files);
  const list = captured.map(({ path, size }) => ({ path, size, sha256: sha256(files[path] ?? '') }));
  return { directory, manifest: buildManifest('backup', world.context(), list, 'seed'), compression };
}

/** Writes a zip to a file of this world, and returns its bytes. */
export async function writeZip(world: World, content: ZipContent, target: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of zipPieces(content, world.fs)) pieces.push(Buffer.from(piece));
  const bytes = Buffer.concat(pieces);
  await world.fs.promises.writeFile(target, bytes);
  return bytes;
}
