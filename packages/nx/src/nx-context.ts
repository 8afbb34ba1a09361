/**
 * What we read of Nx's `ExecutorContext`. Declared here, since its type differs between the majors of Nx that we run on and importing
 * it would tie our users to one of them. A test holds it against the type of `@nx/devkit`.
 */
export interface ExecutorContext {
  readonly root: string;
  readonly projectName?: string | undefined;
  readonly targetName?: string | undefined;
  readonly configurationName?: string | undefined;
  readonly projectsConfigurations?: { readonly projects: Readonly<Record<string, NxProject>> } | undefined;
  readonly projectGraph?: { readonly nodes: Readonly<Record<string, { readonly data: NxProject }>> } | undefined;
  readonly taskGraph?: NxTaskGraph | undefined;
  readonly isVerbose?: boolean | undefined;
  readonly nxJsonConfiguration?: { readonly parallel?: number | undefined } | undefined;
}

interface NxProject {
  readonly targets?: Readonly<Record<string, { readonly executor?: string | undefined }>> | undefined;
}

/** The tasks of one Nx command. */
export interface NxTaskGraph {
  readonly tasks: Readonly<Record<string, { readonly target: { readonly project: string; readonly target: string } }>>;
  /** By task, the tasks that it waits for. */
  readonly dependencies: Readonly<Record<string, readonly NxEdge[]>>;
}

/** What leads to a task that another one waits for: its id up to Nx 23, an object from 24. */
export type NxEdge = string | { readonly id: string };

/** The id of the task that an edge leads to. */
export function taskIdOf(edge: NxEdge): string {
  return typeof edge === 'string' ? edge : edge.id;
}
