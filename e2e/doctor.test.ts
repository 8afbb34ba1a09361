import type { DoctorReport } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

type Findings = DoctorReport['findings'];

/** Findings but for those about the machine, short. */
function short(findings: Findings): string[] {
  const told = findings.filter(({ check }) => !['reflink', 'clock', 'file-system'].includes(check));
  return told.map(({ check, subject, fixed }) => `${check} ${subject}${fixed ? ' (fixed)' : ''}`);
}

/** The findings of a doctor that ends with `code`; those of a failure are in its details. */
async function doctor(code: number, ...options: string[]): Promise<Findings> {
  const document = JSON.parse(expectCode(await w.try('sluice', 'doctor', '--json', ...options), code, 'doctor').stdout);
  if (code === 0) return document.findings;
  expect(document.error.code).toBe('ERR_DOCTOR_FAILED');
  return document.error.details.findings;
}

story('the doctor finds what is wrong, mends what is safe, and leaves the rest', async () => {
  const track = (path: string): object => ({ executor: '@sluice/nx:track', cache: false, options: { outs: [path] } });
  w = await createWorkspace({
    'p/project.json': {
      name: 'p',
      targets: {
        raw: track('p/raw'),
        loose: track('p/loose'),
        cached: { ...track('p/cached'), cache: true },
        wrong: { executor: '@sluice/nx:stage', options: { comand: 'x' } },
      },
    },
    'p/raw/1.txt': 'tracked by git\n',
    'video.bin': new Uint8Array(11 * 1024 * 1024),
  });
  w.write({ 'p/loose': 'ignored by nobody\n' });
  const before = await w.git('status', '--porcelain');

  expect(short(await doctor(2))).toEqual([
    'git-tracked p:raw p/raw',
    'not-ignored p:loose p/loose',
    'not-ignored p:raw p/raw',
    'nx-cache p:cached',
    'preparation .gitignore',
    'preparation .nxignore',
    'preparation nx.json',
    'stage p:wrong',
    'merge-driver .git/config',
    'nx-reads video.bin',
    'preparation .gitattributes',
    'preparation sluice.json',
  ]);
  expect(await w.git('status', '--porcelain')).toBe(before);
  const text = expectCode(await w.try('sluice', 'doctor'), 2, 'doctor');
  expect(text.stdout).toContain('git rm -r --cached "p/raw"');
  expect(text.stderr).toContain('sluice doctor --fix');

  expect(short(await doctor(2, '--fix')).filter((line) => line.endsWith('(fixed)'))).toHaveLength(8);
  expect(w.read('p/.gitignore').split('\n').sort()).toEqual(['', '/loose', '/raw']);
  expect(short(await doctor(2))).toEqual([
    'git-tracked p:raw p/raw',
    'nx-cache p:cached',
    'stage p:wrong',
    'nx-reads video.bin',
  ]);
  expect(await w.git('ls-files', 'p/raw')).toBe('p/raw/1.txt\n');

  const project = JSON.parse(w.read('p/project.json'));
  project.targets.cached.cache = false;
  project.targets.wrong.options = { command: 'x' };
  w.write({ 'p/project.json': project });
  await w.git('rm', '--quiet', '-r', '--cached', 'p/raw');
  expect(short(await doctor(0))).toEqual(['nx-reads video.bin']);
  expect(await w.nx('run', 'p:loose')).toContain('committed 1 file');
});
