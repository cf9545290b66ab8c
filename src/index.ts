export type { WhatsAppClient } from './client/client-types.js';
export type { TestMessageResult } from './client/send-test-message.js';
export { type Clock, systemClock, type TimerHandle } from './clock.js';
export {
  BrowserTooOldError,
  ClosedError,
  ConfigurationError,
  InvalidStateError,
  isSessionError,
  LeaseHeldError,
  LeaseLostError,
  LogoutFailedError,
  ProfileLockedError,
  ProfileUnsoundError,
  SessionError,
  type SessionErrorCode,
  type SessionErrorDetails,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotUnsafeError,
  StartFailedError,
  StoreConflictError,
  StoreError,
  TimeoutError,
} from './errors.js';
export type {
  DeafPageState,
  DisconnectCause,
  EventError,
  RestoreReason,
  SessionEventName,
  SessionEventPayloads,
  SessionEvents,
  SkipReason,
  StateChangeCause,
  StopCause,
  WarningCode,
} from './events.js';
export type { FileSystem } from './file-system.js';
export { fromEnv } from './from-env.js';
export type {
  HealthAction,
  HealthCheck,
  HealthCheckId,
  HealthIssue,
  HealthMetrics,
  HealthRecommendation,
  HealthReport,
  HealthStatus,
  LocalizedText,
} from './health.js';
export {
  type ClientInStore,
  type ListClientsOptions,
  listClients,
  type StoredClient,
} from './list-clients.js';
export type { Logger } from './logger.js';
export {
  DEFAULT_OPTIONS,
  type PersistentSessionOptions,
  type ResolvedOptions,
} from './options.js';
export { PersistentSession } from './persistent-session.js';
export type { OpenBackup, PruneResult, SaveResult, VerifyReport } from './results.js';
export type { RetentionPolicy } from './snapshot/retention.js';
export type { SessionState } from './state.js';
export type { SessionStatus } from './status.js';
export { BackupDirStore } from './stores/backup-dir-store.js';
export { FileSystemStore, type FileSystemStoreOptions } from './stores/file-system-store.js';
export { assertPortableKey, assertPortablePrefix } from './stores/keys.js';
export { readPutBody } from './stores/read-put-body.js';
export type {
  ByteRange,
  ContentDigest,
  DeleteOptions,
  DeleteResult,
  Fence,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
  StoreCapabilities,
  StoredObject,
} from './stores/session-store.js';
export { storeFromUrl } from './stores/store-from-url.js';
export type { ImportOptions } from './supervision/session-import.js';
export type {
  CaptureMode,
  Finding,
  PendingPairing,
  ProfileIdentity,
  SnapshotInfo,
  SnapshotKind,
} from './types.js';
export { LIBRARY_VERSION } from './version.js';
