import { joinRelPath, type RelPath, ROOT, tryParseRelPath } from '../model/path.js';
import { extendRules, type IgnoreRules, isIgnored } from './ignore-rules.js';
import type { ProjectSources } from './project-sources.js';

/** The directories that hold a `project.json` or a `package.json`. */
export interface ProjectFiles {
  readonly projectJson: ReadonlySet<RelPath>;
  readonly packageJson: ReadonlySet<RelPath>;
}

/**
 * Finds the files that declare projects, as Nx does: what `.gitignore` and `.nxignore` files at any level ignore is not looked into,
 * so ignored data costs nothing however much of it there is.
 */
export function findProjectFiles(sources: ProjectSources): ProjectFiles {
  const projectJson = new Set<RelPath>();
  const packageJson = new Set<RelPath>();
  const visit = (dir: RelPath, inherited: IgnoreRules | undefined): void => {
    const names = sources.list(dir);
    const rules = ignoreRulesIn(sources.read, dir, names, inherited);
    for (const name of names) {
      const isDirectory = name.endsWith('/');
      const path = tryJoin(dir, isDirectory ? name.slice(0, -1) : name);
      if (path === undefined || isIgnored(rules, path, isDirectory)) continue;
      if (isDirectory) visit(path, rules);
      else if (name === 'project.json') projectJson.add(dir);
      else if (name === 'package.json') packageJson.add(dir);
    }
  };
  visit(ROOT, undefined);
  return { projectJson, packageJson };
}

/** The same, where somebody has found the files already. Paths are relative to the workspace root. */
export function projectFilesAmong(paths: readonly string[]): ProjectFiles {
  const files = { projectJson: new Set<RelPath>(), packageJson: new Set<RelPath>() };
  for (const path of paths) {
    const cut = path.lastIndexOf('/');
    const dir = tryParseRelPath(path.slice(0, Math.max(0, cut)));
    if (dir === undefined) continue;
    const name = path.slice(cut + 1);
    if (name === 'project.json') files.projectJson.add(dir);
    else if (name === 'package.json') files.packageJson.add(dir);
  }
  return files;
}

/** The rules by which Nx leaves files out of a directory with these names. `.nxignore` outranks `.gitignore` of the same directory. */
export function ignoreRulesIn(
  read: (path: string) => string | undefined,
  dir: RelPath,
  names: readonly string[],
  inherited: IgnoreRules | undefined,
): IgnoreRules | undefined {
  const texts = ['.gitignore', '.nxignore']
    .filter((name) => names.includes(name))
    .flatMap((name) => read(joinRelPath(dir, name)) ?? []);
  return texts.length === 0 ? inherited : extendRules(inherited, dir, texts);
}

function tryJoin(dir: RelPath, name: string): RelPath | undefined {
  return tryParseRelPath(dir === '' ? name : `${dir}/${name}`);
}
