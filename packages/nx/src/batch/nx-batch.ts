import type { NxEdge } from '../nx-context.js';

/** What we read of the task graph of a batch. Declared here for the same reason as `ExecutorContext`. */
export interface BatchGraph {
  readonly tasks: Readonly<Record<string, BatchTask>>;
  /** By task, the tasks of the batch that it waits for. */
  readonly dependencies: Readonly<Record<string, readonly NxEdge[]>>;
}

/** One task of a batch. */
export interface BatchTask {
  readonly id: string;
  readonly target: {
    readonly project: string;
    readonly target: string;
    readonly configuration?: string | undefined;
  };
  readonly projectRoot?: string | undefined;
  readonly hash?: string | undefined;
  /** `false`: nothing else may run meanwhile. */
  readonly parallelism?: boolean | undefined;
}

/** What Nx wants to know of a task that ended. Times are milliseconds since 1970. */
export interface BatchResult {
  readonly success: boolean;
  readonly terminalOutput: string;
  readonly status?: 'success' | 'failure' | 'skipped';
  readonly startTime?: number;
  readonly endTime?: number;
}

/** A task that ended; Nx shows each as it comes. */
export interface BatchEnd {
  readonly task: string;
  readonly result: BatchResult;
}
