import { isDeepStrictEqual } from 'node:util';
import { SluiceError } from '../errors.js';
import { compareUtf8, isWithin, joinRelPath, type RelPath, tryParseRelPath } from '../model/path.js';
import { checkStages } from '../stage/check-stages.js';
import { defineStage } from '../stage/define.js';
import { loadStages } from '../stage/load-stages.js';
import { type Stage, stageName } from '../stage/stage.js';
import { suggestion } from '../util/did-you-mean.js';
import { setInJsonc } from '../util/edit-jsonc.js';
import { parseJsonc } from '../util/jsonc.js';
import { CONFIG_FILE, LOCAL_CONFIG_FILE } from '../workspace/config.js';
import { parseConfigFile } from '../workspace/config-file.js';
import { STAGE_EXECUTOR, TRACK_EXECUTOR } from '../workspace/executors.js';
import { projectNamed } from '../workspace/find-target.js';
import { missingIgnoreLine, withLines } from '../workspace/gitignore.js';
import { isObject, type JsonObject } from '../workspace/merge-target.js';
import { readWorkspaceFrom, type WorkspaceProjects } from '../workspace/projects.js';
import type { Project } from '../workspace/read-project.js';
import type { TextFiles } from '../workspace/text-files.js';

/** A stage or a dataset that is to be declared. */
export interface NewTarget {
  readonly kind: 'stage' | 'dataset';
  /** The name of its project. Without it, the innermost project that holds `beside` is meant. */
  readonly project?: string | undefined;
  /** Directory of a new project with that name, where there is none. */
  readonly projectRoot?: string | undefined;
  /** A path relative to the workspace root. */
  readonly beside?: string | undefined;
  readonly target: string;
  /** The options of the target; paths in its project are written with `{projectRoot}`, so that it can be moved. */
  readonly options: JsonObject;
}

/** What became of a new target. */
export interface AddTargetReport {
  readonly project: string;
  readonly target: string;
  /** The file that declares it. */
  readonly file: string;
  /** Relative to the workspace root. */
  readonly outs: readonly RelPath[];
  /** Empty when the same declaration was there. */
  readonly written: readonly string[];
}

/**
 * Declares a stage or a dataset: a target in the file of its project, and a line in `.gitignore` for each out. The same declaration twice is the same as once.
 * Throws `ERR_REMOTE_UNKNOWN` for an out with a remote that is not configured, `ERR_SELECTOR` for a project that is not there, `ERR_USAGE` for a target that is there and not the same, and like `defineStage` and
 * `checkStages` for one that could not run; then nothing is written.
 */
export function addTarget(root: string, files: TextFiles, wanted: NewTarget): AddTargetReport {
  const workspace = readWorkspaceFrom(root, files);
  const place = placeOf(workspace, files, wanted);
  const declaration = {
    executor: wanted.kind === 'stage' ? STAGE_EXECUTOR : TRACK_EXECUTOR,
    cache: false,
    options: withTokens(wanted.options, place.root),
  };
  const stage = defineStage({ ...declaration, project: place, target: wanted.target });
  const outs = stage.outs.filter(({ cache }) => cache).map(({ path }) => path);
  const report = { project: place.name, target: wanted.target, file: place.file, outs };
  for (const { remote } of stage.outs) if (remote !== undefined) refuseUnknownRemote(files, remote);
  const others = loadStages(workspace).all.filter(({ id }) => stageName(id) !== stageName(stage.id));
  checkStages([...others, stage]);

  const present = targetIn(place, wanted.target);
  const written = new Set<string>();
  if (present === undefined && !place.taken.includes(wanted.target)) {
    files.write(place.file, setInJsonc(place.text, [...place.targets, wanted.target], declaration));
    written.add(place.file);
  } else if (!isDeepStrictEqual(present, declaration)) throw taken(stage, place.file);
  for (const out of outs) {
    const missing = missingIgnoreLine(files.read, place.root, out);
    if (missing === undefined) continue;
    files.write(missing.file, withLines(files.read(missing.file) ?? '', [missing.line]));
    written.add(missing.file);
  }
  return { ...report, written: [...written].sort(compareUtf8) };
}

/** The options that hold paths from the workspace root. */
const PATH_OPTIONS = ['deps', 'params', 'outs'];

function withTokens(options: JsonObject, root: RelPath): JsonObject {
  const token = (text: unknown): unknown =>
    typeof text === 'string' && root !== '' && text.startsWith(`${root}/`)
      ? `{projectRoot}${text.slice(root.length)}`
      : text;
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      if (!PATH_OPTIONS.includes(key) || !Array.isArray(value)) return [key, value];
      return [
        key,
        value.map((entry: unknown) => (isObject(entry) ? { ...entry, path: token(entry.path) } : token(entry))),
      ];
    }),
  );
}

/** Where a target is written. */
interface Place {
  readonly name: string;
  readonly root: RelPath;
  readonly file: RelPath;
  readonly text: string;
  /** The keys that lead to the targets in that file. */
  readonly targets: readonly string[];
  /** The names of targets that come from elsewhere, such as scripts. */
  readonly taken: readonly string[];
}

function placeOf(workspace: WorkspaceProjects, files: TextFiles, wanted: NewTarget): Place {
  if (wanted.project !== undefined && wanted.projectRoot !== undefined && !workspace.projects.has(wanted.project)) {
    return newProject(files, wanted.project, wanted.projectRoot);
  }
  const project =
    wanted.project === undefined ? projectAround(workspace, wanted) : projectNamed(workspace, wanted.project);
  const { name, root, file } = project;
  const text = files.read(file) ?? '{}\n';
  const targets = file.endsWith('package.json') ? ['nx', 'targets'] : ['targets'];
  return { name, root, file, text, targets, taken: [...project.stages.keys(), ...project.otherTargets] };
}

function newProject(files: TextFiles, name: string, directory: string): Place {
  const root = tryParseRelPath(directory.replace(/^\.?\/+|\/+$/g, '').replace(/^\.$/, ''));
  const file = root === undefined ? undefined : joinRelPath(root, 'project.json');
  if (root === undefined || file === undefined) {
    throw usage(`${JSON.stringify(directory)} is no directory of the workspace`, 'Name one relative to its root.');
  }
  if (files.read(file) !== undefined) {
    throw usage(
      `${file} is there already, and its project is not named ${JSON.stringify(name)}`,
      'Name the project that it declares, or another directory.',
    );
  }
  const up = root === '' ? './' : '../'.repeat(root.split('/').length);
  const text = JSON.stringify({ $schema: `${up}node_modules/nx/schemas/project-schema.json`, name }, undefined, 2);
  return { name, root, file, text: `${text}\n`, targets: ['targets'], taken: [] };
}

function projectAround({ projects }: WorkspaceProjects, { beside }: NewTarget): Project {
  const path = beside === undefined ? undefined : tryParseRelPath(beside);
  const around = [...projects.values()].filter(({ root }) => path !== undefined && isWithin(path, root));
  const [innermost] = around.sort((a, b) => b.root.length - a.root.length);
  if (innermost !== undefined) return innermost;
  throw usage(
    beside === undefined ? 'a project is missing' : `no project holds ${JSON.stringify(beside)}`,
    'Name one with --project; with --projectRoot DIR too, a new one is made there.',
  );
}

function refuseUnknownRemote(files: TextFiles, name: string): void {
  const known = [CONFIG_FILE, LOCAL_CONFIG_FILE].flatMap((file) => {
    const text = files.read(file);
    return text === undefined ? [] : [...parseConfigFile(text, file).remotes.keys()];
  });
  if (known.includes(name)) return;
  throw new SluiceError('ERR_REMOTE_UNKNOWN', `no remote is named ${JSON.stringify(name)}.${suggestion(name, known)}`, {
    hint: 'Add it first: sluice remote add NAME URL',
  });
}

function targetIn(place: Place, target: string): unknown {
  let at: unknown = parseJsonc(place.text);
  for (const key of [...place.targets, target]) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

function taken(stage: Stage, file: RelPath): SluiceError {
  return usage(
    `${stageName(stage.id)} is there already and is declared otherwise`,
    `Change it in ${file}, or give the new one another name.`,
  );
}

function usage(message: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', message, { hint });
}
