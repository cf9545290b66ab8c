export type {
  ConformanceOptions,
  StoreExpectations,
  StoreFactory,
  StoreFaults,
  StoreFixture,
} from './conformance/harness.js';
export { describeSessionStore } from './describe-session-store.js';
export { type FaultyFileSystem, failingFileSystem } from './failing-file-system.js';
export { FakeBrowser, FakePage } from './fake-browser.js';
export { FakeClient, type FakeClientOptions } from './fake-client.js';
export { type FakeLogin, readFakeProfile, writeFakeProfile } from './fake-profile.js';
export type { FakeLocalAuthOptions } from './fake-strategy.js';
export { FakeWhatsApp } from './fake-whatsapp.js';
export type { FaultPlan, FileSystemCall } from './fault-counter.js';
export { type AdvanceUntilOptions, ManualClock, type ManualClockOptions } from './manual-clock.js';
export { MemoryStore, type MemoryStoreOptions } from './memory-store.js';
