import { execFileSync } from 'node:child_process';
import { NEXT_VERSION, type Registry, serveRegistry } from './harness/registry.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
let registry: Registry;
afterEach(() => {
  w?.delete();
  registry?.close();
});

/** How npm of this machine reaches other packages: its configuration and its cache. */
function npmOfThisMachine(): Record<string, string> {
  const setting = (name: string): string => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
  return {
    npm_config_userconfig: setting('userconfig'),
    npm_config_cache: setting('cache'),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    // Nx would fetch its newest version to migrate with.
    NX_USE_LOCAL: 'true',
    NX_MIGRATE_USE_LOCAL: 'true',
    NX_SKIP_PROVENANCE_CHECK: 'true',
    // The home of a test lies in the directory for temporary files, where Nx 24 would not unpack a package.
    NX_ALLOW_INSECURE_DIRECTORIES: 'true',
  };
}

story('`nx add` installs the plugin and prepares the workspace, and `nx migrate` knows it', async () => {
  registry = await serveRegistry();
  w = await createWorkspace();
  Object.assign(w.env, npmOfThisMachine());
  const manifest = JSON.parse(w.read('package.json'));
  w.write({
    'package.json': { ...manifest, devDependencies: { nx: manifest.devDependencies.nx } },
    '.npmrc': registry.npmrc,
  });
  w.remove('node_modules/@sluice');
  // npm writes this file in place, and it is a link to that of other workspaces.
  w.remove('node_modules/.package-lock.json');

  await w.nx('add', '@sluice/nx');
  const { devDependencies } = JSON.parse(w.read('package.json'));
  expect(Object.keys(devDependencies)).toEqual(['@sluice/cli', '@sluice/nx', 'nx']);
  expect(devDependencies['@sluice/cli']).toBe(registry.version);
  expect(JSON.parse(w.read('nx.json')).plugins).toEqual(['@sluice/nx']);
  expect(w.exists('sluice.json')).toBe(true);
  expect(await w.sluice('status')).toContain('no stages');

  await w.nx('g', '@sluice/nx:stage', 'hello', '--project=p', '--projectRoot=p', '--command=echo hi > x', '--outs=p/x');
  expect(await w.nx('run', 'p:hello')).toContain('made 1 file');

  await w.commitAll('Added');
  await w.nx('migrate', `@sluice/nx@${NEXT_VERSION}`);
  expect(JSON.parse(w.read('package.json')).devDependencies['@sluice/nx']).toBe(NEXT_VERSION);
  expect(w.exists('migrations.json')).toBe(false);
});
