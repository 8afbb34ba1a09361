/** The executor of a target that is a stage. */
export const STAGE_EXECUTOR = '@sluice/nx:stage';

/** The executor of a target that is a tracked dataset. */
export const TRACK_EXECUTOR = '@sluice/nx:track';

/** Whether targets with this executor are stages. */
export function isStageExecutor(executor: string | undefined): boolean {
  return executor === STAGE_EXECUTOR || executor === TRACK_EXECUTOR;
}
