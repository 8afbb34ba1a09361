import { SluiceError } from '../errors.js';
import { anyFilter, type PathFilter, pathFilter } from '../model/path-filter.js';
import { globBase } from '../stage/declared-path.js';
import { globMatcher } from '../stage/glob.js';
import { type LoadedStages, stageNamed } from '../stage/load-stages.js';
import type { Out, Stage } from '../stage/stage.js';
import { projectNamed, stagesOfTarget } from '../workspace/find-target.js';
import type { WorkspaceProjects } from '../workspace/projects.js';

/** What a selector means: a stage, and which of its files. */
export interface Selected {
  readonly stage: Stage;
  /** Which files of an out are meant; `undefined` for all of all outs. */
  readonly filterOf: ((out: Out) => PathFilter) | undefined;
  /** The selector named this stage, and not only its project. */
  readonly exact: boolean;
}

/**
 * The stages that selectors name, sorted as the stages are, each once: `P:T`, `P`, `P:T#glob` (`P:T#out/glob` where a stage has several outs); none means all.
 * Throws `ERR_SELECTOR`, or what is wrong with a stage that is named.
 */
export function selectStages(
  projects: WorkspaceProjects,
  stages: LoadedStages,
  selectors: readonly string[],
): Selected[] {
  if (selectors.length === 0) return stages.all.map((stage) => ({ stage, filterOf: undefined, exact: false }));
  const selected = new Map<Stage, Selected>();
  for (const selector of selectors) {
    for (const choice of select(projects, stages, selector)) {
      const earlier = selected.get(choice.stage);
      selected.set(choice.stage, earlier === undefined ? choice : merge(earlier, choice));
    }
  }
  return stages.all.flatMap((stage) => selected.get(stage) ?? []);
}

/** Whether a word names a project or a stage of one, whether there is such a stage or not. */
export function isSelector(projects: WorkspaceProjects, word: string): boolean {
  const [name = ''] = word.split('#');
  if (projects.projects.has(name)) return true;
  // Besides times (`HEAD@{12:00}`) and texts (`:/fix`), no name of a commit holds a colon.
  return name.includes(':') && !name.includes('@{') && !name.startsWith(':');
}

function select(projects: WorkspaceProjects, stages: LoadedStages, selector: string): Selected[] {
  const hash = selector.indexOf('#');
  const name = hash < 0 ? selector : selector.slice(0, hash);
  const pattern = hash < 0 ? undefined : selector.slice(hash + 1);
  if (projects.projects.has(name)) {
    if (pattern !== undefined) {
      throw new SluiceError('ERR_SELECTOR', `${selector}: a pattern needs a stage, as in ${name}:target#${pattern}`);
    }
    const own = stages.all.filter(({ id }) => id.project === name);
    if (own.length === 0) throw new SluiceError('ERR_SELECTOR', `project ${name} has no stages`);
    return own.map((stage) => ({ stage, filterOf: undefined, exact: false }));
  }
  const { project, target } = splitName(projects, name);
  return stagesOfTarget(projects, project, target).map((id) => {
    const stage = stageNamed(projects, stages, id);
    return { stage, filterOf: pattern === undefined ? undefined : filterFor(stage, pattern), exact: true };
  });
}

/** A project's name can hold colons, so every place where it may end is tried. */
function splitName(projects: WorkspaceProjects, name: string): { project: string; target: string } {
  for (let at = name.indexOf(':'); at >= 0; at = name.indexOf(':', at + 1)) {
    const project = name.slice(0, at);
    if (projects.projects.has(project)) return { project, target: name.slice(at + 1) };
  }
  const colon = name.lastIndexOf(':');
  if (colon < 0) {
    projectNamed(projects, name);
    throw new SluiceError('ERR_SELECTOR', `not a selector: ${JSON.stringify(name)}`);
  }
  return { project: name.slice(0, colon), target: name.slice(colon + 1) };
}

function filterFor(stage: Stage, pattern: string): (out: Out) => PathFilter {
  const matchesGlob = globMatcher(pattern);
  // A name may hold what a pattern takes for magic: it still names itself.
  const matches = (path: string): boolean => path === pattern || matchesGlob(path);
  const base = globBase(pattern);
  if (stage.outs.length === 1) return () => pathFilter(matches, [base]);
  return (out) => {
    const short = out.path.slice(stage.projectRoot === '' ? 0 : stage.projectRoot.length + 1);
    return anyFilter(
      [short, out.path].map((name) =>
        pathFilter((path) => matches(path === '' ? name : `${name}/${path}`), withinOut(name, base)),
      ),
    );
  };
}

/** Where in an out that is named `name` something can lie that begins with `base`. */
function withinOut(name: string, base: string): string[] {
  if (base === '' || base === name || name.startsWith(`${base}/`)) return [''];
  return base.startsWith(`${name}/`) ? [base.slice(name.length + 1)] : [];
}

function merge(a: Selected, b: Selected): Selected {
  const exact = a.exact || b.exact;
  if (a.filterOf === undefined || b.filterOf === undefined) return { stage: a.stage, filterOf: undefined, exact };
  const { filterOf: first } = a;
  const { filterOf: second } = b;
  return { stage: a.stage, exact, filterOf: (out) => anyFilter([first(out), second(out)]) };
}
