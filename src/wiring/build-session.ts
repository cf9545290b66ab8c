import { ClientDriver } from '../client/client-driver.js';
import type { ClientInternals, WhatsAppClient } from '../client/client-types.js';
import { assignProfile, locateProfile } from '../client/profile-location.js';
import { type PersistentSessionOptions, resolveOptions } from '../options.js';
import { LossReports } from '../supervision/context/loss-reports.js';
import { tellOfEarlyStart } from '../supervision/start/early-start.js';
import { TableCheck } from '../supervision/start/table-check.js';
import { createContext, type SessionHooks } from './create-context.js';
import { optionsContextOf, placeOf } from './session-place.js';
import { type SessionParts, wireParts } from './wire-parts.js';

/**
 * Creates and connects the parts of a session for one client. Changes nothing on the disk.
 *
 * @throws ConfigurationError
 */
export function buildSession(
  client: WhatsAppClient,
  given: PersistentSessionOptions,
  hooks: SessionHooks,
): SessionParts {
  const location = locateProfile(client);
  const options = resolveOptions(given, optionsContextOf(location));
  const place = placeOf(location, given, options);
  const driver = new ClientDriver(client, options.clock);
  const losses = new LossReports();
  const tableCheck = new TableCheck();
  const context = createContext({ place, options, driver, hooks, losses, tableCheck });
  const parts = wireParts({ context, place, losses, tableCheck });
  // The client is changed last, so that it stays unchanged when the constructor throws.
  if (location.kind === 'none') assignProfile(client, place.profileDir);
  leaveSignalsToUs(driver.client, options.shutdownSignals);
  driver.onForeignStart(() => tellOfEarlyStart(context));
  driver.attach(parts.supervisor);
  return parts;
}

/** puppeteer's own signal handlers kill Chromium, which loses up to a minute of Local Storage (docs/chromium-facts.md F1.7). */
function leaveSignalsToUs(client: ClientInternals, signals: readonly NodeJS.Signals[]): void {
  client.options ??= {};
  client.options.puppeteer = {
    ...client.options.puppeteer,
    ...(signals.includes('SIGINT') && { handleSIGINT: false }),
    ...(signals.includes('SIGTERM') && { handleSIGTERM: false }),
    ...(signals.includes('SIGHUP') && { handleSIGHUP: false }),
  };
}
