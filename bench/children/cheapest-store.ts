import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

interface Named {
  readonly session: string;
}

/** The cheapest store that RemoteAuth can have: one rename to store, one copy to fetch. */
export async function cheapestStore(dataPath: string, kept: string, onSaved: () => void = () => undefined) {
  const zipOf = (session: string) => join(kept, `${session}.zip`);
  await mkdir(kept, { recursive: true });
  return {
    sessionExists: ({ session }: Named) =>
      access(zipOf(session)).then(
        () => true,
        () => false,
      ),
    async save({ session }: Named): Promise<void> {
      await rename(join(dataPath, `${session}.zip`), zipOf(session));
      onSaved();
    },
    extract: ({ session, path: to }: Named & { readonly path: string }) => copyFile(zipOf(session), to),
    delete: ({ session }: Named) => rm(zipOf(session), { force: true }),
  };
}
