// Runs one operation of one side in its own process: plain node on compiled code, without other work.
import { rm } from 'node:fs/promises';
import { isAfterRestart } from '../support/operations.js';
import type { Contender } from './contender.js';
import { bytesBelow, measured, residentBytes } from './measure.js';
import { type Order, profileIn, type Told } from './order.js';
import { ours } from './ours.js';
import { remoteAuth } from './remote-auth.js';
import { applyChange, hashOfTree } from './trees.js';

async function obey(order: Order): Promise<Told> {
  const contender = await (order.side === 'ours' ? ours(order) : remoteAuth(order));
  if (order.step === 'prepare') return prepare(order, contender);
  const kind = order.operation.includes('save') ? 'save' : 'backup';
  // A start is measured without any warm-up.
  if (!order.operation.startsWith('initialize')) {
    await contender.open(isAfterRestart(order.operation) ? 'stopped' : 'ready');
  }
  const resident = residentBytes();
  const work = await workOf(order, contender);
  const cost = await measured(work, resident);
  await contender.close();
  const isSame =
    !isAfterRestart(order.operation) ||
    (await hashOfTree(profileIn(order.side, order.folder))) === (await hashOfTree(order.before));
  const keptBytes = isAfterRestart(order.operation) ? null : await bytesBelow(contender.storeOf(kind));
  return { told: 'measured', figures: { ...cost, keptBytes }, isSame };
}

/** Prepares a bot that was ready, saved, made a backup and was stopped. */
async function prepare({ side, folder, operation }: Order, contender: Contender): Promise<Told> {
  await contender.open('ready');
  await contender.save();
  if (side === 'ours') await contender.backUp();
  await contender.close();
  if (operation !== 'initialize, sound profile') await rm(profileIn(side, folder), { recursive: true });
  return { told: 'prepared' };
}

/** Does the preparations and returns the work to measure. */
async function workOf(order: Order, contender: Contender): Promise<() => Promise<void>> {
  const change = () => applyChange(profileIn(order.side, order.folder), order.before, order.after);
  const storing =
    (take: () => Promise<'stored' | 'unchanged'>, wanted: 'stored' | 'unchanged') => async () => {
      const came = await take();
      if (order.side === 'ours' && came !== wanted) throw new Error(`it was ${came}, not ${wanted}`);
    };
  switch (order.operation) {
    case 'first force-save':
      return storing(contender.save, 'stored');
    case 'force-save, nothing changed':
      await contender.save();
      return storing(contender.save, 'unchanged');
    case 'force-save after 1 MB':
      await contender.save();
      await change();
      return storing(contender.save, 'stored');
    case 'backup, cold':
    case 'backup, small':
      return storing(contender.backUp, 'stored');
    case 'backup after 1 MB':
      await contender.backUp();
      await change();
      return storing(contender.backUp, 'stored');
    case 'backup, nothing changed':
      await contender.backUp();
      return storing(contender.backUp, 'unchanged');
    case 'restore from a save':
      return () => contender.restore('save');
    case 'restore from a zip':
      return () => contender.restore('backup');
    case 'initialize, sound profile':
    case 'initialize, no profile':
      return () => contender.untilLaunch();
  }
}

process.on('message', (order: Order) => {
  const tell = (told: Told) => process.send?.(told, () => process.exit());
  obey(order).then(tell, (error: unknown) =>
    tell({ told: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
