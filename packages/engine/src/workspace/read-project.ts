import { joinRelPath, type RelPath } from '../model/path.js';
import { parseJsonc } from '../util/jsonc.js';
import { isStageExecutor } from './executors.js';
import { expandMatrix, fillMatrix } from './matrix.js';
import { isObject, type JsonObject, mergeTarget } from './merge-target.js';
import type { ProjectSources } from './project-sources.js';
import { defaultsFor } from './target-defaults.js';

/** A target that is a stage, with all its declarations merged. */
export interface StageTarget {
  readonly executor: string;
  /** Tokens such as `{projectRoot}` are not replaced. */
  readonly options: JsonObject;
  readonly configurations: Readonly<Record<string, JsonObject>>;
  readonly defaultConfiguration: string | undefined;
}

/** A project of the workspace. */
export interface Project {
  readonly name: string;
  readonly root: RelPath;
  /** The file that declares it. */
  readonly file: RelPath;
  /** A target with a matrix is here once per combination, and not under its own name. */
  readonly stages: ReadonlyMap<string, StageTarget>;
  /** The stages of each target with a matrix. */
  readonly matrices: ReadonlyMap<string, readonly string[]>;
  /** The names of its other targets. */
  readonly otherTargets: readonly string[];
}

/** A project that cannot be used, until its file is corrected. */
export interface ProjectProblem {
  readonly file: RelPath;
  readonly message: string;
  /** The names by which somebody may mean it. */
  readonly names: readonly string[];
}

/** Which files in `root` declare the project. */
export interface Declarations {
  readonly root: RelPath;
  readonly hasProjectJson: boolean;
  readonly hasPackageJson: boolean;
}

/** A project with all its targets, merged as Nx merges them. */
export interface DeclaredProject {
  readonly name: string;
  readonly root: RelPath;
  /** The file that declares it. */
  readonly file: RelPath;
  readonly targets: ReadonlyMap<string, JsonObject>;
}

/** Reads one project, of its targets the stages. */
export function readProject(
  sources: ProjectSources,
  declarations: Declarations,
  targetDefaults: unknown,
): Project | ProjectProblem {
  const declared = readDeclaredProject(sources, declarations, targetDefaults);
  if ('message' in declared) return declared;
  const { name, root, file, targets } = declared;
  return { name, root, file, ...sortTargets(targets) };
}

/** Reads one project from `project.json`, `package.json` and the `targetDefaults` of `nx.json`, as Nx merges them; `inferred` lies under each target. */
export function readDeclaredProject(
  sources: ProjectSources,
  { root, hasProjectJson, hasPackageJson }: Declarations,
  targetDefaults: unknown,
  inferred: JsonObject = {},
): DeclaredProject | ProjectProblem {
  const packagePath = joinRelPath(root, 'package.json');
  const projectPath = joinRelPath(root, 'project.json');
  const file = hasProjectJson ? projectPath : packagePath;
  const directoryName = (root.split('/').at(-1) || '.').toLowerCase();
  try {
    const packageJson = hasPackageJson ? readObject(sources, packagePath) : {};
    const projectJson = hasProjectJson ? readObject(sources, projectPath) : {};
    const nx = isObject(packageJson.nx) ? packageJson.nx : {};
    const name = [projectJson.name, nx.name, packageJson.name, directoryName].find((given) => given !== undefined);
    if (typeof name !== 'string' || name === '') throw new SourceProblem(file, 'has a name that is no text');
    const tags = [projectJson.tags, nx.tags].flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
    const layers = [packageTargets(packageJson, nx, targetsOf(projectJson)), targetsOf(projectJson)];
    const project = { name, root: root === '' ? '.' : root, tags };
    const targets = mergeLayers(layers, targetDefaults, inferred, project, file);
    return { name, root, file, targets };
  } catch (error) {
    if (!(error instanceof SourceProblem)) throw error;
    const names = [directoryName, ...nameIn(sources.read(projectPath)), ...nameIn(sources.read(packagePath))];
    return { file: error.file, message: error.message, names };
  }
}

/** The reason why one project cannot be used; it never leaves this file. */
class SourceProblem extends Error {
  readonly file: RelPath;

  constructor(file: RelPath, message: string) {
    super(message);
    this.file = file;
  }
}

type Targets = ReadonlyMap<string, JsonObject>;

function readObject(sources: ProjectSources, path: RelPath): JsonObject {
  let value: unknown;
  try {
    value = parseJsonc(sources.read(path) ?? '{}');
  } catch (error) {
    throw new SourceProblem(path, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(value)) throw new SourceProblem(path, 'is not a JSON object');
  return value;
}

/** A name in text that may not be JSON, so that a broken project is still known by its name. */
function nameIn(text: string | undefined): string[] {
  const name = /"name"\s*:\s*"([^"\\]+)"/.exec(text ?? '')?.[1];
  return name === undefined ? [] : [name];
}

function targetsOf(declaration: JsonObject): Targets {
  const targets = isObject(declaration.targets) ? declaration.targets : {};
  return new Map(Object.entries(targets).map(([name, target]) => [name, isObject(target) ? target : {}]));
}

/** `nx.targets` over a target for each script; a script gives way to a target of `project.json` that runs something else. */
function packageTargets(packageJson: JsonObject, nx: JsonObject, projectTargets: Targets): Targets {
  const scripts = Object.keys(isObject(packageJson.scripts) ? packageJson.scripts : {}).filter((script) => {
    const target = projectTargets.get(script);
    return !(target?.command || (target?.executor && target.executor !== 'nx:run-script'));
  });
  const included = Array.isArray(nx.includedScripts) ? nx.includedScripts.map(String) : scripts;
  const targets = new Map<string, JsonObject>();
  for (const script of included) targets.set(script, { executor: 'nx:run-script', options: { script } });
  for (const [name, target] of targetsOf(nx)) {
    const script = targets.get(name);
    const replaces = script === undefined || Boolean(target.executor) || Boolean(target.command);
    targets.set(name, replaces ? target : mergeTarget(target, script));
  }
  return targets;
}

function mergeLayers(
  layers: readonly Targets[],
  targetDefaults: unknown,
  inferred: JsonObject,
  project: Parameters<typeof defaultsFor>[3],
  file: RelPath,
): Targets {
  const merged = new Map<string, JsonObject>();
  for (const name of new Set(layers.flatMap((layer) => [...layer.keys()]))) {
    const declared: JsonObject[] = [];
    for (const layer of layers) {
      const target = layer.get(name);
      if (target !== undefined) declared.push(withExecutor(target, name, file));
    }
    let target = inferred;
    for (const layer of [defaultsFor(name, declared, targetDefaults, project) ?? {}, ...declared]) {
      target = mergeTarget(layer, target);
    }
    merged.set(name, target);
  }
  return merged;
}

/** A target with only a `command` is run by `nx:run-commands`. */
function withExecutor(target: JsonObject, name: string, file: RelPath): JsonObject {
  if (!target.command) return target;
  if (target.executor) {
    throw new SourceProblem(
      file,
      `gives the target ${JSON.stringify(name)} both an executor and a command; the command of a stage belongs into its options`,
    );
  }
  return { ...target, executor: 'nx:run-commands' };
}

function sortTargets(targets: Targets): Pick<Project, 'stages' | 'matrices' | 'otherTargets'> {
  const stages = new Map<string, StageTarget>();
  const matrices = new Map<string, readonly string[]>();
  const otherTargets: string[] = [];
  for (const [name, { executor, options, configurations, defaultConfiguration, dependsOn }] of targets) {
    if (typeof executor === 'string' && isStageExecutor(executor)) {
      const stage = {
        executor,
        options: isObject(options) ? options : {},
        configurations: Object.fromEntries(
          Object.entries(isObject(configurations) ? configurations : {}).map(([key, value]) => [
            key,
            isObject(value) ? value : {},
          ]),
        ),
        defaultConfiguration: typeof defaultConfiguration === 'string' ? defaultConfiguration : undefined,
      };
      const combinations = expandMatrix(name, stage.options);
      if (combinations === undefined) stages.set(name, stage);
      else
        matrices.set(
          name,
          combinations.map(({ target }) => target),
        );
      for (const [i, { target, options: filled }] of combinations?.entries() ?? []) {
        const overlays = Object.entries(stage.configurations);
        const filledOverlays = overlays.map(([key, overlay]) => [key, fillMatrix(stage.options, overlay, i)] as const);
        stages.set(target, { ...stage, options: filled, configurations: Object.fromEntries(filledOverlays) });
      }
    } else if (executor || (Array.isArray(dependsOn) && dependsOn.length > 0)) otherTargets.push(name);
  }
  return { stages, matrices, otherTargets };
}
