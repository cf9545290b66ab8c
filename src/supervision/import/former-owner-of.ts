import { clientIdsOf, type OldSession } from '../../profile/import/old-session.js';
import { resolveLinks } from '../../profile/links.js';
import { slashed } from '../../profile-identity.js';
import type { SnapshotManifest } from '../../types.js';
import { answered, askStores, START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import { placesOfLineages } from '../context/lineage-places.js';
import type { SessionContext } from '../context/session-context.js';
import { recordBeside } from '../record/record-beside.js';
import type { FormerOwner } from '../record/record-owner.js';
import { EMPTY_RECORD, lineagesIn, type SessionRecord } from '../record/session-record.js';

/**
 * Whose the login of an old session was, if that was a session of this library under another client id; `undefined` if it
 * was not, or if nothing tells. Never rejects: the import itself has succeeded.
 *
 * @param manifest of the backup that the old session is, if it is one
 */
export async function formerOwnerOf(
  context: SessionContext,
  session: OldSession,
  manifest: SnapshotManifest | undefined,
): Promise<FormerOwner | undefined> {
  const { kind, path } = session;
  const ofBackup = manifest === undefined ? [] : [manifest.lineage];
  const record = kind === 'zip' ? EMPTY_RECORD : await recordBeside(context.fs, path);
  const id = manifest?.clientId ?? idOf(session, record);
  if (id === undefined || id === context.clientId) return undefined;
  const saved = kind === 'zip' ? [] : await lineagesSavedAt(context, id, path);
  const lineages = [...new Set([...lineagesIn(record), ...saved, ...ofBackup])];
  return lineages.length > 0 ? { clientId: id, lineages } : undefined;
}

/** The client id to which an old session belongs by its record or its name; `undefined` where neither tells. */
export async function clientIdOf({ fs }: SessionContext, session: OldSession): Promise<string | undefined> {
  return idOf(session, session.kind === 'zip' ? EMPTY_RECORD : await recordBeside(fs, session.path));
}

function idOf({ path, clientId }: OldSession, { owner }: SessionRecord): string | undefined {
  return owner?.clientId ?? clientId ?? clientIdsOf(slashed(path)).at(-1);
}

/** The logins whose newest copy under this client id was made of the profile at `path`; for a lost record. */
async function lineagesSavedAt(
  { fs, clock, repositoriesOf }: SessionContext,
  clientId: string,
  path: string,
): Promise<readonly string[]> {
  const real = slashed(await resolveLinks(fs, path).catch(() => path));
  const patience = new StorePatience(clock, START_PATIENCE_MS);
  const answers = await askStores(repositoriesOf(clientId), (repository) => repository.list(), patience);
  const places = placesOfLineages(
    answered(answers).flatMap(({ value }) => value),
    clock.now(),
  );
  return [...places.values()]
    .filter(({ last }) => last?.profile?.path === real)
    .map(({ lineage }) => lineage);
}
