import {
  type BrowserVersion,
  executablePathOf,
  parseProduct,
  versionOfExecutable,
} from '../../client/browser-version.js';
import type { ClientDriver } from '../../client/client-driver.js';
import { assertKeepsLogin, isFeatureOn, SQLITE_FEATURES } from '../../client/launch-arguments.js';
import { browserVersion } from '../../client/page-probe.js';
import type { Clock } from '../../clock.js';
import { BrowserTooOldError, ConfigurationError, describeError, type SessionError } from '../../errors.js';
import type { WarningCode } from '../../events.js';
import type { Logger } from '../../logger.js';
import { canRead, dataVersionOf, firstReader, usesSqliteByItself } from '../../profile/browser-reach.js';
import {
  type DataVersion,
  dataVersionText,
  type ProfileFormat,
  parseDataVersion,
  profileFormatTask,
} from '../../profile/data-version.js';
import type { DatabaseLayout } from '../../profile/essential-files.js';
import { layoutOfFiles } from '../../profile/layout-of-files.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { TaskRunner } from '../../task.js';
import type { SnapshotManifest } from '../../types.js';
import type { SessionRecordFile } from '../record/session-record-file.js';

export interface BrowserGuardParameters {
  readonly driver: ClientDriver;
  readonly profileDir: string;
  readonly runner: TaskRunner;
  readonly record: SessionRecordFile;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time limit for asking a browser for its version, ms. */
  readonly deadlineMs: number;
  readonly warn: (code: WarningCode, message: string) => void;
  /** Default: runs the program to ask for its version. */
  readonly versionOf?: (executablePath: string) => Promise<BrowserVersion | undefined>;
}

/** The login that a browser would have to read, and the browser that wrote it. */
interface Login {
  readonly format: ProfileFormat;
  readonly writtenBy: string | undefined;
}

/**
 * Protects a login from a browser that would delete it because a newer browser wrote it, or would not find it because
 * it is stored elsewhere (docs/profile.md).
 * The check runs before a launch when the browser's path is known. It always runs again before the launched browser
 * opens its first page, because until then the browser leaves the databases alone.
 */
export class BrowserGuard {
  readonly #parameters: BrowserGuardParameters;
  #browser: BrowserVersion | undefined;
  #inPlace: Login | undefined;

  constructor(parameters: BrowserGuardParameters) {
    this.#parameters = parameters;
  }

  /**
   * Finds out which browser comes next. When puppeteer chooses the browser, only its launch tells.
   *
   * @param isFirst whether the browser may differ from the last one: `true` when the bot starts again, `false` for a
   * further attempt
   * @throws ConfigurationError when the browser's arguments now lead to another place
   */
  async learn(isFirst: boolean): Promise<void> {
    const { driver, versionOf = versionOfExecutable } = this.#parameters;
    assertKeepsLogin(driver.client.options?.puppeteer ?? {});
    if (!isFirst && this.#browser !== undefined) return;
    const path = executablePathOf(driver.client);
    this.#browser = path === undefined ? undefined : await versionOf(path);
  }

  /** Why the browser must not open the profile in place; `undefined` when it may. */
  async refusalOfProfile(signal?: AbortSignal): Promise<SessionError | undefined> {
    const { profileDir, record } = this.#parameters;
    const format = await this.#formatOf(profileDir, signal);
    this.#inPlace = { format, writtenBy: record.current.browserVersion };
    return this.#refusal(this.#inPlace, 'the login');
  }

  /** Why an unpacked snapshot must not be put in place; `undefined` when it may. */
  async refusalOfStaged(
    directory: string,
    { id, browserVersion: writtenBy }: SnapshotManifest,
    signal: AbortSignal,
  ): Promise<SessionError | undefined> {
    return this.#refusal({ format: await this.#formatOf(directory, signal), writtenBy }, `snapshot ${id}`);
  }

  /**
   * Why a snapshot must not be restored, judged by its manifest without unpacking; `undefined` when it may or the
   * manifest is unreadable.
   */
  async refusalOfSnapshot({ info, repository }: LocatedSnapshot): Promise<SessionError | undefined> {
    const manifest = await repository.manifest(info.id).catch(() => undefined);
    if (manifest === undefined) return undefined;
    const { browserVersion: writtenBy } = manifest;
    const format = { ...layoutOfFiles(manifest.files), dataVersion: dataVersionIn(manifest) };
    return this.#refusal({ format, writtenBy }, `snapshot ${info.id}`);
  }

  /**
   * Whether a newer browser wrote the snapshot. Then this browser's failure with it says nothing about the snapshot.
   */
  async isOfNewerBrowser({ info, repository }: LocatedSnapshot): Promise<boolean> {
    const manifest = await repository.manifest(info.id).catch(() => undefined);
    const writer = parseProduct(manifest?.browserVersion);
    return writer !== undefined && this.#browser !== undefined && writer.major > this.#browser.major;
  }

  /**
   * The final check, after the browser has started and before its first page opens.
   *
   * @throws BrowserTooOldError, ConfigurationError when the page must not open
   */
  async beforeNavigation(): Promise<void> {
    const { driver, clock, deadlineMs, warn, record, logger } = this.#parameters;
    const said = await browserVersion(driver, clock, deadlineMs);
    const browser = parseProduct(said);
    const login = this.#inPlace;
    if (browser === undefined) {
      if (login?.format.dataVersion === undefined) return;
      warn(
        'browser-version-unknown',
        `the browser does not tell its version (${said ?? 'no answer'}): whether it can read the login was not checked`,
      );
      return;
    }
    this.#browser = browser;
    const refusal = login && this.#refusal(login, 'the login');
    if (refusal !== undefined) throw refusal;
    if (record.current.browserVersion === browser.text) return;
    await record.update({ browserVersion: browser.text }).catch((error: unknown) => {
      logger.warn('the browser could not be noted', { error: describeError(error) });
    });
  }

  #formatOf(profileDir: string, signal: AbortSignal | undefined): Promise<ProfileFormat> {
    return this.#parameters.runner.run(
      profileFormatTask,
      { profileDir },
      signal === undefined ? {} : { signal },
    );
  }

  #refusal({ format, writtenBy }: Login, what: string): SessionError | undefined {
    const { indexedDb, localStorage, dataVersion } = format;
    return (
      this.#refusalOfLayout(indexedDb, SQLITE_FEATURES.indexedDb, what) ??
      this.#refusalOfLayout(localStorage, SQLITE_FEATURES.localStorage, what) ??
      (dataVersion && this.#refusalOfVersion(dataVersion, writtenBy, what))
    );
  }

  #refusalOfVersion(
    data: DataVersion,
    writtenBy: string | undefined,
    what: string,
  ): SessionError | undefined {
    const browser = this.#browser;
    const writer = parseProduct(writtenBy)?.major;
    if (browser === undefined || canRead(browser.major, data, writer) !== false) return undefined;
    const needed = firstReader(data, writer);
    return new BrowserTooOldError(
      `${what} was written by ${writtenBy ?? 'a newer browser'} (data version ${dataVersionText(data)}), and this ` +
        `browser is ${browser.text}: it would erase the database and so log the bot out. It was not allowed to open it. Use ` +
        `Chromium ${needed ?? 'of that version'} or newer (puppeteer.executablePath, or the image as it was before), or ` +
        'restore(id) a copy that an older browser has written',
      { browser: browser.text, writtenBy },
    );
  }

  #refusalOfLayout(layout: DatabaseLayout, feature: string, what: string): SessionError | undefined {
    const isOn = isFeatureOn(this.#parameters.driver.client.options?.puppeteer?.args, feature);
    if (layout === 'leveldb' && isOn === true) {
      return new ConfigurationError(
        `client: puppeteer.args: with "--enable-features=${feature}" Chromium does not find ${what}, and the bot is logged ` +
          'out: remove the argument',
      );
    }
    if (layout !== 'sqlite' || isOn === true) return undefined;
    const isSeen = isOn ?? (this.#browser && usesSqliteByItself(this.#browser.major));
    if (isSeen !== false) return undefined;
    return new ConfigurationError(
      `client: puppeteer.args: ${what} was written with "--enable-features=${feature}", without which this browser ` +
        'does not find it, and the bot is logged out: add the argument again',
    );
  }
}

/** The data version that a manifest names. Manifests older than this field name at least the browser. */
function dataVersionIn(manifest: SnapshotManifest): DataVersion | undefined {
  const { dataVersion, browserVersion: writtenBy } = manifest;
  const writer = parseProduct(writtenBy);
  return parseDataVersion(dataVersion) ?? (writer && dataVersionOf(writer.major));
}
