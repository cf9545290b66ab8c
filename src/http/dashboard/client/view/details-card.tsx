import type { ComponentChildren } from 'preact';
import type { StatusResponse } from '../../../contract.js';
import { fill, plain } from '../model/fill.js';
import { Age, Card, Code, Skeleton } from './parts.js';
import { type Ui, useUi } from './ui.js';

/** The figures of the session; an unknown one is marked as unknown. */
export function DetailsCard() {
  const ui = useUi();
  const { texts, state } = ui;
  const { status } = state;
  return (
    <Card id="details" title={texts.details.title}>
      {status ? (
        <div class="details">
          <Group title={texts.details.login} facts={loginFacts(ui, status)} />
          <Group title={texts.details.connection} facts={connectionFacts(ui, status)} />
          <Group title={texts.details.machine} facts={machineFacts(ui, status)} />
          <Group title={texts.details.places} facts={placeFacts(ui, status)} isLong />
        </div>
      ) : (
        <Skeleton lines={6} />
      )}
    </Card>
  );
}

type Fact = readonly [name: string, value: ComponentChildren];

function Group({
  title,
  facts,
  isLong = false,
}: {
  title: string;
  facts: readonly Fact[];
  isLong?: boolean;
}) {
  const { texts } = useUi();
  return (
    <div>
      <h3>{title}</h3>
      <dl class={isLong ? 'facts long' : 'facts'}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value ?? <span class="muted">{texts.unknown}</span>}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** `undefined` where the value is not known. */
const known = <Value, Shown>(
  value: Value | null | undefined,
  show: (value: Value) => Shown,
): Shown | undefined => (value === null || value === undefined ? undefined : show(value));

function loginFacts({ texts, format }: Ui, { session }: StatusResponse): readonly Fact[] {
  const { details } = texts;
  const age = (at: string | null): ComponentChildren => (at === null ? texts.none : <Age at={at} />);
  const size = known(session.sessionSizeMb, (mb) => format.megabytes(mb));
  const sizeOfMax = known(session.maxSessionSizeMb, (max) =>
    known(size, (known) => fill(details.sizeOf, { size: known, max: format.megabytes(max) })),
  );
  return [
    [details.hasSession, known(session.hasSession, (has) => (has ? texts.yes : texts.no))],
    [details.sessionSize, sizeOfMax ?? size],
    [details.backupSize, known(session.backupSizeMb, (mb) => format.megabytes(mb))],
    [details.lastModified, known(session.lastModified, (at) => <Age at={at} />)],
    // If the copies are not known, the time of the last one is not known either.
    [details.lastSaved, session.snapshots === null ? undefined : age(session.lastSaved)],
    [details.lastBackup, session.snapshots === null ? undefined : age(session.lastBackup)],
  ];
}

function connectionFacts({ texts, format, state }: Ui, { session, health }: StatusResponse): readonly Fact[] {
  const { details } = texts;
  const { reconnectAttempts: n, maxReconnectAttempts: max } = session;
  const attempts =
    max === null
      ? fill(details.attemptsUnbounded, { n: format.number(n) })
      : fill(details.attemptsOf, { n: format.number(n), max: format.number(max) });
  const owner = (isOurs: boolean): string => {
    if (!isOurs) return details.ownerNone;
    return state.leaseOwner === undefined
      ? details.ownerSelfUnnamed
      : fill(details.ownerSelf, { owner: state.leaseOwner });
  };
  return [
    [details.attempts, attempts],
    [details.probe, known(health?.metrics.probeMs, (ms) => format.milliseconds(ms))],
    [details.pageState, known(health?.metrics.pageState, (word) => <Code>{plain(word)}</Code>)],
    [details.owner, known(health?.metrics.leaseHeld, owner)],
    ...storeLeaseFacts({ texts, format }, session.storeLease),
  ];
}

/** Which machine owns the session, where a store tells it. */
function storeLeaseFacts(
  { texts: { details }, format }: Pick<Ui, 'texts' | 'format'>,
  lease: StatusResponse['session']['storeLease'],
): readonly Fact[] {
  if (lease === null) return [];
  const { name, held, owner, generation = 0, provenAgoMs = 0 } = lease;
  const store = plain(name);
  const text =
    held && owner !== undefined
      ? fill(details.storeLeaseProven, {
          owner: plain(owner),
          n: format.number(generation),
          store,
          age: format.duration(provenAgoMs),
        })
      : fill(details.storeLeaseUnproven, { store });
  return [[details.storeLease, text]];
}

function machineFacts({ texts, format }: Ui, { systemInfo, health }: StatusResponse): readonly Fact[] {
  const { details } = texts;
  const metrics = health?.metrics;
  const { platform, operatingSystem, nodeVersion, libraryVersion } = systemInfo;
  const browser = known(metrics?.browserBytes, (bytes) => {
    const size = format.bytes(bytes);
    return (
      known(metrics?.browserProcesses, (n) => format.plural(details.browserMemoryOf, n, { size })) ?? size
    );
  });
  return [
    [details.memory, format.megabytes(systemInfo.memory.rssMb)],
    [details.browserMemory, browser],
    [details.memoryLimit, known(metrics?.memoryLimitBytes, (bytes) => format.bytes(bytes))],
    [details.diskFree, known(metrics?.sessionDiskFreeBytes, (bytes) => format.bytes(bytes))],
    [details.backupDiskFree, known(metrics?.backupDiskFreeBytes, (bytes) => format.bytes(bytes))],
    [details.delay, known(metrics?.eventLoopDelayMs, (ms) => format.milliseconds(ms))],
    [details.uptime, format.duration(systemInfo.uptimeSeconds * 1000)],
    [details.platform, platform === 'plain' ? details.plain : <Code>{plain(platform)}</Code>],
    [details.versions, <Code>{plain(`${libraryVersion} · node ${nodeVersion} · ${operatingSystem}`)}</Code>],
  ];
}

function placeFacts({ texts }: Ui, { systemInfo }: StatusResponse): readonly Fact[] {
  const { details } = texts;
  return [
    [details.profilePath, <Code>{plain(systemInfo.profilePath)}</Code>],
    [details.sessionPath, <Code>{plain(systemInfo.sessionPath)}</Code>],
    [details.backupPath, <Code>{plain(systemInfo.backupPath)}</Code>],
  ];
}
