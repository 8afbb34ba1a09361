import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CheckoutReport,
  GcReport,
  PullReport,
  PushReport,
  StatusReport,
  StoreStat,
  VerifyReport,
} from '@sluice/engine';
import { patternBytes } from './harness/bytes.js';
import { usePlaces } from './harness/places.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const TRACKED = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/datasets'] } };
const FILES = ['fracture.bin', 'organ.bin'];

let w: Workspace;
afterEach(() => w?.delete());

async function withDataset(version: number, sizeBytes: number): Promise<Workspace> {
  const workspace = await createWorkspace({ 'p/project.json': { name: 'p', targets: { raw: TRACKED } } });
  workspace.write(versionOf(version, sizeBytes));
  return workspace;
}

function versionOf(version: number, sizeBytes: number): Record<string, Uint8Array> {
  return Object.fromEntries(
    FILES.map((name, at) => [`p/datasets/${name}`, patternBytes(`v${version} ${name}`, sizeBytes + at)]),
  );
}

/** Rewrites a file as a careless script does: the same file, opened for writing. */
function rewriteInPlace(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
}

function emptyDirectories(path: string): string[] {
  const directories = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return directories
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((directory) => readdirSync(directory).length === 0);
}

const [directory, bucket] = usePlaces();

for (const [size, sizeBytes, place] of [
  ['3 MB', 3_000_000, directory],
  ['3 KB, which lie in packs', 3000, directory],
  ['3 MB', 3_000_000, bucket],
] as const) {
  story(
    `two versions of two files of ${size} are six objects; old ones go when they are safe in ${place.name}, and come back`,
    async () => {
      w = await place.prepare(await withDataset(1, sizeBytes));
      expect(await w.nx('run', 'p:raw')).toContain('committed 2 files');
      const first = await w.commitAll('Version 1');
      const old = w.hashes('p/datasets');
      expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3, blobs: 2, trees: 1 });
      expect(await w.json<PushReport>('push')).toMatchObject({
        remote: 'origin',
        files: { sent: 2, reused: 0 },
        objects: { sent: 3, reused: 0 },
        bytes: { sent: 2 * sizeBytes + 1, reused: 0 },
      });

      for (const [path, bytes] of Object.entries(versionOf(2, sizeBytes))) rewriteInPlace(w.path(path), bytes);
      expect(await w.sluice('verify', '--deep')).toBeDefined();
      expect(await w.json<StatusReport>('status')).toMatchObject({
        stages: [{ state: 'changed', outs: [{ path: 'p/datasets', workspace: 'modified' }] }],
      });
      await w.sluice('commit', 'p:raw');
      await w.commitAll('Version 2');
      expect(await w.git('status', '--porcelain')).toBe('');
      expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({
        objects: 6,
        blobs: 4,
        trees: 2,
        bytes: 4 * sizeBytes + 2,
      });
      expect(await w.json<PushReport>('push')).toMatchObject({ files: { sent: 2, reused: 0 }, objects: { sent: 3 } });
      expect(await w.json<StatusReport>('status', '--remote')).toMatchObject({
        stages: [
          { state: 'unchanged', outs: [{ workspace: 'present', store: 'complete', remote: { origin: 'complete' } }] },
        ],
      });

      expect(await w.json<GcReport>('gc', '--workspace')).toMatchObject({
        removed: { blobs: 2, trees: 1, bytes: 2 * sizeBytes + 1 },
        kept: { blobs: 2, trees: 1 },
        keptUnpushed: { blobs: 0, trees: 0, bytes: 0 },
        dryRun: false,
      });
      expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3 });
      expect(emptyDirectories(w.path('.sluice/objects'))).toEqual([]);
      const current = w.hashes('p/datasets');

      await w.git('checkout', first, '--', 'p/sluice-lock.json');
      expect(await w.json<PullReport>('pull')).toMatchObject({ files: { received: 2 }, workspace: { written: 2 } });
      expect(w.hashes('p/datasets')).toEqual(old);
      await w.sluice('gc', '--workspace');
      expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3 });

      // The other version is on the remote as well, and so is everything when the store is gone.
      await w.git('checkout', 'HEAD', '--', 'p/sluice-lock.json');
      await w.sluice('pull');
      expect(w.hashes('p/datasets')).toEqual(current);
      w.remove('.sluice');
      await w.sluice('fetch', '--history');
      expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 6, blobs: 4, trees: 2 });
      expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
      await w.sluice('checkout', '--rev', first);
      expect(w.hashes('p/datasets')).toEqual(old);
    },
  );
}

story('what a program maps into memory and changes is its own copy', async () => {
  w = await withDataset(1, 300_000);
  await w.sluice('commit');
  await w.commitAll('Version 1');
  const old = w.hashes('p/datasets');
  const zero = buildMapper(w);
  await w.run(zero, 'p/datasets/organ.bin');
  expect(w.hashes('p/datasets')).not.toEqual(old);
  expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });

  // Checked out, written through once more, and the store is whole still.
  expect((await w.failure(4, 'checkout')).code).toBe('ERR_OUT_MODIFIED');
  await w.sluice('checkout', '--force');
  expect(w.hashes('p/datasets')).toEqual(old);
  await w.run(zero, 'p/datasets/fracture.bin');
  await w.sluice('checkout', '--force');
  expect(w.hashes('p/datasets')).toEqual(old);
  expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
});

story('gc before push keeps what lies nowhere else, and drops it when told to', async () => {
  w = await withDataset(1, 100_000);
  await w.sluice('init', '--remote', 'file:../remote');
  await w.sluice('commit');
  await w.commitAll('Version 1');
  w.write(versionOf(2, 100_000));
  await w.sluice('commit');
  const kept = { blobs: 2, trees: 1, bytes: 200_001 };
  const none = { blobs: 0, trees: 0, bytes: 0 };
  expect(await w.json<GcReport>('gc')).toMatchObject({ removed: none, keptUnpushed: kept });
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 6 });
  expect(await w.sluice('gc')).toContain('3');

  await w.commitAll('Version 2');
  expect(await w.json<PushReport>('push', '--all-commits')).toMatchObject({ objects: { sent: 6 } });
  expect(await w.json<GcReport>('gc')).toMatchObject({ removed: kept, keptUnpushed: none });
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3 });

  w.write(versionOf(3, 100_000));
  await w.sluice('commit');
  await w.commitAll('Version 3');
  w.write(versionOf(4, 100_000));
  await w.sluice('commit');
  expect(await w.json<GcReport>('gc', '--allow-unpushed', '--dry-run')).toMatchObject({
    removed: { blobs: 4, trees: 2 },
    dryRun: true,
  });
  expect(await w.json<GcReport>('gc', '--allow-unpushed')).toMatchObject({
    removed: { blobs: 4, trees: 2 },
    keptUnpushed: none,
  });
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3 });
});

story(
  'a hard link that root writes through: the object is found damaged before it is served, and comes from the remote',
  async () => {
    const target = { ...TRACKED, options: { outs: [{ path: '{projectRoot}/datasets', mutability: 'strict' }] } };
    w = await createWorkspace({ 'p/project.json': { name: 'p', targets: { raw: target } } });
    w.write(versionOf(1, 300_000));
    const old = w.hashes('p/datasets');
    await w.sluice('init', '--remote', 'file:../remote');
    await w.sluice('commit');
    await w.sluice('push');
    w.remove('p/datasets');
    await w.json<CheckoutReport>('checkout', '--link', 'hardlink');
    const linked = w.path('p/datasets/organ.bin');
    expect(statSync(linked)).toMatchObject({ nlink: 2 });
    expect(statSync(linked).mode & 0o222).toBe(0);

    chmodSync(linked, 0o644);
    rewriteInPlace(linked, patternBytes('by hand', 1000));
    expect(await w.json<StatusReport>('status')).toMatchObject({
      stages: [{ state: 'changed', outs: [{ workspace: 'modified' }] }],
    });
    w.remove('p/datasets');
    await w.sluice('pull');
    expect(w.hashes('p/datasets')).toEqual(old);
    expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
  },
);

/** A program that maps a file into memory and writes zeros there; Node cannot do that. Go builds it, which the test server needs as well. */
function buildMapper(workspace: Workspace): string {
  const source = `package main

import (
	"os"
	"syscall"
)

func main() {
	file, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	bytes, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	clear(bytes[1000:2000])
	if err := syscall.Munmap(bytes); err != nil {
		panic(err)
	}
}
`;
  const folder = workspace.path('.git/zero');
  mkdirSync(folder);
  writeFileSync(join(folder, 'main.go'), source);
  const program = join(folder, 'zero');
  execFileSync('go', ['build', '-o', program, join(folder, 'main.go')], { stdio: 'pipe' });
  return program;
}
