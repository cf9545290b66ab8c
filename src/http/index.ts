export type { AuthFunction } from './auth.js';
export type { ConnectionInfo } from './connection.js';
export type {
  ActionAcceptedResponse,
  ActionDoneResponse,
  ActionName,
  ActionRequest,
  ActionResults,
  ErrorBody,
  ErrorResponse,
  HealthzResponse,
  HttpErrorCode,
  Job,
  JobResponse,
  LoginRequest,
  LoginResponse,
  PairingCode,
  PairingKind,
  ReadyzResponse,
  SessionView,
  StateResult,
  StatusResponse,
  StreamEventName,
  StreamEvents,
  SystemInfo,
} from './contract.js';
export { createSessionHandler, type SessionHandler } from './handler.js';
export type { SessionHandlerOptions } from './options.js';
export type { SessionLike } from './session-like.js';
export { type NodeListener, toNodeListener } from './to-node-listener.js';
