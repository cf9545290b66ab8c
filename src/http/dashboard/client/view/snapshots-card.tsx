import { useState } from 'preact/hooks';
import type { SnapshotInfo } from '../../../../types.js';
import { fill, plain } from '../model/fill.js';
import { Icon } from './icons.js';
import { Age, Badge, Button, Card, Code, ShowAll, Skeleton } from './parts.js';
import { useUi } from './ui.js';

const SHOWN_AT_FIRST = 5;
/** The status contains no more snapshots. */
const TOLD_AT_MOST = 100;

/** Every copy of the login, newest first. */
export function SnapshotsCard() {
  const { texts, format, state } = useUi();
  const [isWhole, setWhole] = useState(false);
  const session = state.status?.session;
  const snapshots = session?.snapshots ?? [];
  const shown = isWhole ? snapshots : snapshots.slice(0, SHOWN_AT_FIRST);
  const count = snapshots.length > 0 && (
    <span class="muted">
      {snapshots.length < TOLD_AT_MOST
        ? format.plural(texts.snapshots.count, snapshots.length)
        : fill(texts.snapshots.capped, { n: format.number(TOLD_AT_MOST) })}
    </span>
  );
  return (
    <Card id="snapshots" title={texts.snapshots.title} aside={count}>
      {!session ? (
        <Skeleton lines={5} />
      ) : snapshots.length === 0 ? (
        <p>{session.snapshots === null ? texts.snapshots.unknown : texts.snapshots.none}</p>
      ) : (
        <>
          <Table snapshots={shown} />
          {snapshots.length > SHOWN_AT_FIRST && (
            <ShowAll count={snapshots.length} isWhole={isWhole} onPress={() => setWhole(!isWhole)} />
          )}
        </>
      )}
    </Card>
  );
}

function Table({ snapshots }: { readonly snapshots: readonly SnapshotInfo[] }) {
  const { texts } = useUi();
  return (
    <table class="snapshots" aria-labelledby="snapshots-title">
      <thead>
        <tr>
          <th scope="col">{texts.snapshots.taken}</th>
          <th scope="col">{texts.snapshots.kind}</th>
          <th scope="col">{texts.snapshots.size}</th>
          <th scope="col">{texts.snapshots.checked}</th>
          <th scope="col">
            <span class="sr-only">{texts.snapshots.buttons}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {snapshots.map((snapshot) => (
          <Row key={`${snapshot.store}/${snapshot.id}`} snapshot={snapshot} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ snapshot }: { readonly snapshot: SnapshotInfo }) {
  const { texts, format } = useUi();
  const { kind, verifiedAt } = snapshot;
  return (
    <tr data-snapshot={snapshot.id}>
      <td class="taken">
        <strong>
          <Age at={snapshot.createdAt} />
        </strong>
        <small class="muted">{format.time(snapshot.createdAt)}</small>
      </td>
      <td class="kind">
        <span>{texts.snapshots.kinds[kind] ?? kind}</span>
        <small class="muted">
          <Code>{plain(snapshot.store)}</Code>
        </small>
      </td>
      <td class="size">{format.bytes(snapshot.sizeBytes)}</td>
      <td class="checked">
        {verifiedAt === undefined ? (
          <span class="muted">{texts.snapshots.notVerified}</span>
        ) : (
          <span class="good-text">
            <Icon name="good" />
            <Age at={verifiedAt} text={texts.snapshots.verified} />
          </span>
        )}
        {snapshot.revoked && <Badge tone="critical">{texts.snapshots.revoked}</Badge>}
        {!snapshot.settled && <Badge tone="warning">{texts.snapshots.unsettled}</Badge>}
        <small class="muted snapshot-id">
          <Code>{plain(snapshot.id)}</Code>
        </small>
      </td>
      <td class="row-buttons">
        <RowButtons snapshot={snapshot} />
      </td>
    </tr>
  );
}

function RowButtons({ snapshot }: { readonly snapshot: SnapshotInfo }) {
  const { texts, format, state, control, allowDownload, ask } = useUi();
  const { id, kind } = snapshot;
  const time = format.time(snapshot.createdAt);
  const isBusy = (key: string): boolean => key in state.pending;
  return (
    <>
      <Button
        kind="quiet"
        icon="verify"
        label={texts.snapshots.verify}
        fullLabel={fill(texts.snapshots.verifyOne, { time })}
        isBusy={isBusy(`verify:${id}`)}
        onPress={() => control.run(`verify:${id}`, { action: 'verify', snapshotId: id })}
      />
      <Button
        kind="quiet"
        icon="restore"
        label={texts.snapshots.restore}
        fullLabel={fill(texts.snapshots.restoreOne, { time })}
        isBusy={isBusy(`restore:${id}`)}
        onPress={() => ask({ kind: 'restore', snapshot })}
      />
      {allowDownload && kind === 'backup' && (
        <a
          class="button quiet"
          href={control.api.downloadUrl(id)}
          download
          aria-label={fill(texts.snapshots.downloadOne, { time })}
          onClick={() => control.end(`download:${id}`, 'backup', { kind: 'download' })}
        >
          <Icon name="download" />
          <span class="button-text">{texts.snapshots.download}</span>
        </a>
      )}
    </>
  );
}
