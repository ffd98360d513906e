export { accountLines } from './books/account-lines.ts';
export { type Account, type Arrival, type Books, balance } from './books/accounting.ts';
export {
  type Audit,
  type AuditOptions,
  audit,
  type Whereabouts,
  type Witness,
} from './books/bookkeeping.ts';
export { type Ledger, LedgerError, type LedgerOptions, openLedger } from './books/ledger.ts';
export {
  type LedgerEntry,
  type LedgerSums,
  parseLedger,
  sumLedger,
} from './books/ledger-entry.ts';
export {
  type Answer,
  type DrillRequest,
  type HttpClient,
  type HttpClientOptions,
  httpClient,
} from './load/http-client.ts';
export { type Latency, latencyOf } from './load/latency.ts';
export type { LoadSummary, Traffic } from './load/load.ts';
export type { Outcome, Submission } from './load/submission.ts';
export type { Drill, DrillRun, Probe, WaitOptions } from './run/drill.ts';
export type { DrillReport } from './run/drill-report.ts';
export { createFaults, type Faults } from './run/faults.ts';
export { InterruptedError } from './run/interrupted.ts';
export {
  findProcess,
  isAlive,
  type ProcessControl,
  type ProcessInfo,
} from './run/process-control.ts';
export {
  type Environment,
  type RunDrillsOptions,
  type RunReport,
  runDrills,
} from './run/run-drills.ts';
export type { Step } from './transcript/step.ts';
export { stepLines } from './transcript/step-lines.ts';
