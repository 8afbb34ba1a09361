/**
 * What Nx asks of a graph plugin. Declared here, since the types of `@nx/devkit` differ between the majors of Nx that we run on: 22 has no
 * `CreateNodes` of this shape, 23 and 24 have.
 */
export interface CreateNodesContext {
  readonly workspaceRoot: string;
}

/** A file that was looked at, and what it adds to projects, by project root. */
export type CreateNodesResults = readonly (readonly [
  string,
  { readonly projects: Readonly<Record<string, { readonly targets: Readonly<Record<string, InferredTarget>> }>> },
])[];

/** Pattern of files, and what Nx calls with all files that match it. */
export type CreateNodes = readonly [
  string,
  (files: readonly string[], options: unknown, context: CreateNodesContext) => CreateNodesResults,
];

/** What is added to a target. What the user wrote outranks it, field by field. */
export interface InferredTarget {
  readonly cache: false;
  /** Only for a stage of a matrix, which nobody has declared. */
  readonly executor?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly configurations?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly defaultConfiguration?: string;
  readonly inputs?: readonly (string | { readonly env: string })[];
  readonly outputs?: readonly string[];
  readonly dependsOn?: readonly (string | { readonly projects: readonly string[]; readonly target: string })[];
  readonly metadata: TargetMetadata;
}

/** What `nx show project` tells about a target. */
export interface TargetMetadata {
  readonly technologies: readonly string[];
  readonly description: string;
  readonly sluice: {
    readonly kind: 'stage' | 'dataset' | 'matrix' | 'broken';
    /** Files and patterns that no stage makes, relative to the workspace root. */
    readonly reads: readonly string[];
    /** Stages whose outs are read. */
    readonly needs: readonly { readonly project: string; readonly target: string; readonly out: string }[];
    readonly makes: readonly string[];
    /** Why it cannot run. */
    readonly problem?: string;
  };
}

/** The projects of a graph, with their targets as everybody's declarations merged. */
export interface CreateDependenciesContext {
  readonly projects: Readonly<
    Record<
      string,
      {
        readonly root: string;
        readonly targets?: Readonly<Record<string, { readonly metadata?: { readonly sluice?: unknown } | undefined }>>;
      }
    >
  >;
}

/** A project that needs another one. */
export interface ProjectDependency {
  readonly source: string;
  readonly target: string;
  readonly type: 'implicit';
}
