export { findWorkspaceRoot, openEngine } from './engine.js';
export type { Engine, EngineOptions } from './engine-api.js';
export {
  asSluiceError,
  ERRORS,
  type ErrorCode,
  type ErrorWire,
  fromErrorWire,
  SluiceError,
  toErrorWire,
} from './errors.js';
export type { Emit, Phase, SluiceEvent } from './events.js';
export type { HistoryScope } from './history/scope.js';
export type { FileState } from './model/file-change.js';
export type { Reason } from './model/reason.js';
export { actionsCacheAccess, type CacheAccess } from './operations/actions-cache-remote.js';
export { type AddTargetReport, addTarget, type NewTarget } from './operations/add-target.js';
export type { BackgroundPush, BackgroundReport } from './operations/background-push.js';
export type { BlamedFile, BlameOptions, BlameReport } from './operations/blame.js';
export type { ByteRangeOption, CatOptions, CatReport } from './operations/cat.js';
export type { ContentDiff } from './operations/content/compare-content.js';
export type { ChangeCount } from './operations/count-changes.js';
export type { DeclarationProblem, DeclarationsReport } from './operations/declarations.js';
export type { DiffFile, DiffOptions, DiffOut, DiffReport, ParamChange } from './operations/diff.js';
export type { MetricChange, MetricValue } from './operations/diff-metrics.js';
export type { SideName } from './operations/diff-sides.js';
export type { DoctorReport } from './operations/doctor/doctor.js';
export type { DoctorCheck, DoctorFinding } from './operations/doctor/finding.js';
export type { ExportSettings } from './operations/export.js';
export type { FollowOptions } from './operations/follow-git.js';
export { installMergeDriver } from './operations/git-setup.js';
export type { ImportArchiveOptions } from './operations/import-archive.js';
export type { ImportUrlOptions } from './operations/import-url.js';
export { type InitOptions, initWorkspace } from './operations/init.js';
export type { LogCommit, LogOptions, LogOut, LogReport, LogVersion } from './operations/log.js';
export type { LsEntry, LsOptions, LsOut, LsReport } from './operations/ls.js';
export type { MergeLocksOptions } from './operations/merge-locks.js';
export type { FetchOptions, GcOptions, GcRemoteOptions, PushOptions, Select } from './operations/options.js';
export type { PlanEntry, PlannedStage, PlanOptions, PlanReport } from './operations/plan/plan.js';
export type { PrePushOptions, RefUpdate } from './operations/pre-push.js';
export type { PublishLocksOptions, PublishLocksReport } from './operations/publish-locks.js';
export { pushFailure } from './operations/push-failure.js';
export type { WhileRunningOptions } from './operations/push-while-running.js';
export type { RelockedStage, RelockReport } from './operations/relock.js';
export type { AskedRemotes } from './operations/remote-states.js';
export type { RemoteState } from './operations/remotes.js';
export * from './operations/reports.js';
export type { ResolveSide } from './operations/resolve.js';
export type { RemoteTraffic, ServedRemotes, ServeOptions } from './operations/serve-remotes.js';
export type { OutStatus, StageStatus, StatusReport } from './operations/status.js';
export { createStrictness, type Strictness } from './operations/strictness.js';
export type { FileSum, SummaryOptions, SummaryOut, SummaryReport } from './operations/summary.js';
export type { VerifyAppendOnlyOptions } from './operations/verify-append-only.js';
export type { VerifyRemoteOptions } from './operations/verify-remote.js';
export { fetchFor } from './remote/storage/proxy/fetch.js';
export type { Fetch, FetchInit } from './remote/storage/proxy/fetch-port.js';
export * from './review/index.js';
export type { ChosenStage } from './stage/load-stages.js';
export type { RunOptions, RunResult } from './stage/run-stage.js';
export type { StageId } from './stage/stage.js';
export * from './text/index.js';
export { addFile } from './workspace/add-file.js';
export type { UnpackOptions, UnpackReport } from './workspace/archive/unpack.js';
export { unpackZip } from './workspace/archive/unpack-zip.js';
export type { BucketSettings } from './workspace/bucket-settings.js';
export type { LinkKind } from './workspace/place-batch.js';
export type { TextFiles } from './workspace/text-files.js';
export { addRemote, setDefaultRemote } from './workspace/write-config.js';
