import type { FileSystem } from '../file-system.js';

/** One line of `/proc/self/mountinfo` (proc(5)). */
export interface Mount {
  /** `major:minor` of the device. */
  readonly device: string;
  /** The folder of that device that is mounted here. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
}

/**
 * - `volume`: mounted separately from the root; it outlives a redeploy
 * - `memory`: tmpfs; gone at the next restart
 * - `pod`: an `emptyDir` of Kubernetes; gone when the pod is removed
 * - `container`: the writable layer of a container; gone when the container is removed
 * - `root`: the root file system of the machine; whether it lasts depends on the platform
 * - `unknown`: there is no mount table, because this is not Linux
 */
export interface StorageDescription {
  readonly kind: 'volume' | 'memory' | 'pod' | 'container' | 'root' | 'unknown';
  readonly mount?: Mount;
}

/** Finds the kind of storage of an absolute path, from the text of the mount table. */
export function describeStorage(path: string, mountinfo: string | undefined): StorageDescription {
  const mount = mountOf(path, parseMountinfo(mountinfo ?? ''));
  return mount === undefined ? { kind: 'unknown' } : { kind: kindOf(mount), mount };
}

/** File systems whose server may be gone: then each call waits until it is back. */
const OF_THE_NETWORK =
  /^(9p|afs|beegfs|ceph|cifs|davfs|fuse\..+|gfs2|glusterfs|lustre|nfs4?|ocfs2|smb3|smbfs|virtiofs)$/;

/** Where the network share is mounted that an absolute path lies on; `undefined` where it lies on none. */
export function networkMountOf(path: string, mountinfo: string | undefined): string | undefined {
  const { mount } = describeStorage(path, mountinfo);
  return mount !== undefined && OF_THE_NETWORK.test(mount.fsType) ? mount.mountPoint : undefined;
}

/** Parses the mount table; lines in another format are left out. */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [fields, description] = line.split(' - ');
    const [, , device, root, mountPoint] = fields?.split(' ') ?? [];
    const fsType = description?.split(' ')[0];
    if (!device || !root || !mountPoint || !fsType) return [];
    return [{ device, root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint), fsType }];
  });
}

/** The mount table of this process; `undefined` when there is none. */
export async function readMountinfo(fs: FileSystem): Promise<string | undefined> {
  try {
    return await fs.promises.readFile('/proc/self/mountinfo', 'utf8');
  } catch {
    return undefined;
  }
}

/** The mount with the longest mount point; when several have the same one, the last covers the others. */
function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.mountPoint === '/' ? '/' : `${mount.mountPoint}/`;
    if (!`${path}/`.startsWith(prefix)) continue;
    if (best === undefined || mount.mountPoint.length >= best.mountPoint.length) best = mount;
  }
  return best;
}

/** File systems that put a writable layer over an image; the last one belongs to rootless Podman. */
const CONTAINER_LAYERS = new Set(['overlay', 'aufs', 'fuse.fuse-overlayfs']);

function kindOf({ mountPoint, fsType, root }: Mount): StorageDescription['kind'] {
  if (fsType === 'tmpfs' || fsType === 'ramfs') return 'memory';
  // The kubelet creates an emptyDir in a folder of this name on the node's disk.
  if (root.includes('kubernetes.io~empty-dir')) return 'pod';
  if (mountPoint !== '/') return 'volume';
  return CONTAINER_LAYERS.has(fsType) ? 'container' : 'root';
}

/** The mount table writes a space in a path as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
