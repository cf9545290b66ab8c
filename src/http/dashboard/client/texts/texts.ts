import type { SessionErrorCode } from '../../../../errors.js';
import type { DisconnectCause, RestoreReason, SkipReason, StopCause } from '../../../../events.js';
import type { HealthCheck, HealthCheckId, HealthIssue, HealthStatus } from '../../../../health.js';
import type { SessionState } from '../../../../state.js';
import type { SnapshotKind } from '../../../../types.js';
import type { ActionName, HttpErrorCode } from '../../../contract.js';

/** A text for each plural form of the language (`Intl.PluralRules`); `other` is used for a missing form. */
export type Plural = { readonly other: string } & { readonly [Rule in Intl.LDMLPluralRule]?: string };

/** Codes of errors that the page itself detects. */
export type PageErrorCode = 'UNREACHABLE' | 'BAD_ANSWER';

type Named<Names extends string> = { readonly [Name in Names]: string };
type List = readonly string[];

/** Every text of the dashboard. The compiler reports a text that a language lacks. */
export interface Texts
  extends Named<
    | 'title'
    | 'otherLanguage'
    | 'skipToContent'
    | 'loading'
    | 'unknown'
    | 'none'
    | 'yes'
    | 'no'
    | 'cancel'
    | 'close'
    | 'dark'
    | 'light'
    | 'logOut'
    | 'session'
    | 'loadFailed'
    | 'tryAgain'
    | 'showAll'
    | 'showFewer'
    | 'whatHappens'
    | 'whatStays'
  > {
  readonly link: Named<
    | 'connecting'
    | 'live'
    | 'lost'
    | 'lostSince'
    | 'lostHint'
    | 'refused'
    | 'refusedHint'
    | 'ended'
    | 'endedHint'
    | 'logIn'
  >;
  readonly state: Named<
    | 'title'
    | 'since'
    | 'announce'
    | 'attemptOf'
    | 'lastError'
    | 'lastSaveError'
    | 'lastBackupError'
    | 'waiting'
    | 'decision'
  > & {
    readonly attempt: Plural;
    readonly words: Named<SessionState>;
    readonly meanings: Named<SessionState>;
  };
  readonly pairing: Named<'title' | 'qrAlt' | 'qrFailed' | 'code' | 'received' | 'ownPhone' | 'announce'> & {
    readonly steps: List;
    readonly codeSteps: List;
  };
  readonly health: Named<
    | 'title'
    | 'outOf'
    | 'gauge'
    | 'none'
    | 'checked'
    | 'history'
    | 'historyWait'
    | 'historyText'
    | 'checks'
    | 'points'
  > & {
    readonly status: Named<HealthStatus>;
    readonly checkStatus: Named<HealthCheck['status']>;
    readonly checkNames: Named<HealthCheckId>;
  };
  readonly issues: Named<'title' | 'whatToDo' | 'button'> & {
    readonly count: Plural;
    readonly severity: Named<HealthIssue['severity']>;
  };
  readonly actions: Named<'title' | 'running'> & {
    readonly names: Named<ActionName>;
    readonly hints: Named<ListedAction>;
  };
  readonly results: Named<
    | 'initialize'
    | 'clear'
    | 'health-check'
    | 'send-test-message'
    | 'saved'
    | 'backedUp'
    | 'skipped'
    | 'restore'
    | 'verifyNone'
    | 'reconnect'
    | 'prune'
    | 'destroy'
    | 'download'
    | 'lost'
  > & { readonly verifySound: Plural; readonly verifyCorrupt: Plural };
  readonly skipReasons: Named<SkipReason>;
  readonly snapshots: Named<
    | 'title'
    | 'none'
    | 'unknown'
    | 'capped'
    | 'taken'
    | 'kind'
    | 'size'
    | 'checked'
    | 'buttons'
    | 'notVerified'
    | 'verified'
    | 'revoked'
    | 'unsettled'
    | 'verify'
    | 'restore'
    | 'download'
    | 'verifyOne'
    | 'restoreOne'
    | 'downloadOne'
  > & { readonly count: Plural; readonly kinds: Named<SnapshotKind> };
  readonly restoreDialog: DialogTexts & Named<'titleBest' | 'which' | 'best' | 'revoked'>;
  readonly clearDialog: DialogTexts & Named<'logout' | 'understand'>;
  readonly stopDialog: DialogTexts;
  readonly message: Named<
    | 'title'
    | 'phone'
    | 'phoneHint'
    | 'phoneWrong'
    | 'text'
    | 'textWrong'
    | 'textDefault'
    | 'send'
    | 'notReady'
  >;
  readonly details: Named<DetailName> & { readonly browserMemoryOf: Plural };
  readonly log: Named<'title' | 'none' | 'note'> & {
    readonly repeated: Plural;
    readonly events: Named<EventTextName> & { readonly 'snapshots:pruned': Plural };
  };
  readonly causes: Named<DisconnectCause | StopCause>;
  readonly restoreReasons: Named<RestoreReason>;
  readonly errors: Named<HttpErrorCode | SessionErrorCode | PageErrorCode | 'other'>;
}

export interface DialogTexts {
  readonly title: string;
  readonly will: List;
  readonly wont: List;
  readonly confirm: string;
}

/** The actions on the card of actions. */
export type ListedAction = Exclude<ActionName, 'health-check' | 'send-test-message'>;

type DetailName =
  | 'title'
  | 'login'
  | 'connection'
  | 'machine'
  | 'places'
  | 'hasSession'
  | 'sessionSize'
  | 'sizeOf'
  | 'backupSize'
  | 'lastModified'
  | 'lastSaved'
  | 'lastBackup'
  | 'attempts'
  | 'attemptsOf'
  | 'attemptsUnbounded'
  | 'probe'
  | 'pageState'
  | 'owner'
  | 'ownerSelf'
  | 'ownerSelfUnnamed'
  | 'ownerNone'
  | 'storeLease'
  | 'storeLeaseProven'
  | 'storeLeaseUnproven'
  | 'memory'
  | 'browserMemory'
  | 'memoryLimit'
  | 'diskFree'
  | 'backupDiskFree'
  | 'delay'
  | 'uptime'
  | 'platform'
  | 'versions'
  | 'sessionPath'
  | 'backupPath'
  | 'profilePath'
  | 'plain';

type EventTextName =
  | 'state:changed'
  | 'state:changed:cause'
  | 'save:completed'
  | 'save:failed'
  | 'save:skipped'
  | 'backup:completed'
  | 'backup:failed'
  | 'backup:skipped'
  | 'restore:started'
  | 'restore:completed'
  | 'restore:failed'
  | 'corruption:detected:profile'
  | 'corruption:detected:snapshot'
  | 'reconnect:scheduled'
  | 'reconnect:attempted'
  | 'reconnect:succeeded'
  | 'reconnect:exhausted'
  | 'health:changed'
  | 'session:revoked:phone'
  | 'session:revoked:client'
  | 'session:revoked:server'
  | 'session:quarantined'
  | 'session:imported'
  | 'session:cleared'
  | 'profile:pruned'
  | 'lease:acquired'
  | 'lease:lost'
  | 'warning'
  | 'pairing:received:qr'
  | 'pairing:received:code'
  | 'job:failed'
  | 'job:completed'
  | 'other';
