import type { FileSystem } from '../../src/file-system.js';

/**
 * A file system whose folder refuses new folders, with the `mkdir` of node: with `recursive` it answers ENOENT for every
 * refusal but EACCES, EPERM, ENOSPC and ENOTDIR.
 */
export function nodesOwnMkdir(
  fs: FileSystem,
  { folder, errno }: { readonly folder: string; readonly errno: string },
): FileSystem {
  const exists = (path: string) =>
    fs.promises.stat(path).then(
      () => true,
      () => false,
    );
  const mkdir = async (path: string, options: { readonly recursive?: boolean } = {}): Promise<unknown> => {
    if (path !== folder && !path.startsWith(`${folder}/`)) return fs.promises.mkdir(path, options);
    if (path === folder || (await exists(path))) return fs.promises.mkdir(path, options);
    const parent = path.slice(0, path.lastIndexOf('/'));
    const isThere = parent === folder || (await exists(parent));
    const code = isThere && options.recursive !== true ? errno : 'ENOENT';
    throw Object.assign(new Error(`${code}: mkdir '${path}'`), { code, path, syscall: 'mkdir' });
  };
  return withMkdir(fs, mkdir as FileSystem['promises']['mkdir']);
}

/** The file system with another `mkdir`. */
export function withMkdir(fs: FileSystem, mkdir: FileSystem['promises']['mkdir']): FileSystem {
  const promises = new Proxy(fs.promises, {
    get: (target, name) => (name === 'mkdir' ? mkdir : Reflect.get(target, name)),
  });
  return { ...fs, promises };
}
