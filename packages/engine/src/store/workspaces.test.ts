import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../model/digest.js';
import { parseRelPath } from '../model/path.js';
import { listKept, removeKept, writeKept } from './kept.js';
import { openStore, type Store } from './store.js';
import { forgetWorkspace, listWorkspaces, registerWorkspace } from './workspaces.js';

let dir = '';
const open: Store[] = [];
beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-workspaces-')));
});
afterEach(() => {
  for (const store of open.splice(0)) store.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

function storeAt(path: string): Store {
  const store = openStore({ dir: join(dir, path), durability: 'none' });
  open.push(store);
  return store;
}

function paths(store: Store): string[] {
  return listWorkspaces(store).map((entry) => (entry.kind === 'workspace' ? entry.path : 'damaged'));
}

const now = new Date('2026-11-20T10:00:00.000Z');

test('a workspace around its store is found again after the tree was moved or copied', () => {
  const store = storeAt('one/.sluice');
  registerWorkspace(store, join(dir, 'one'), now);
  expect(paths(store)).toEqual([join(dir, 'one')]);
  fs.cpSync(join(dir, 'one'), join(dir, 'copy'), { recursive: true });
  expect(paths(storeAt('copy/.sluice'))).toEqual([join(dir, 'copy')]);
  fs.renameSync(join(dir, 'one'), join(dir, 'moved'));
  const moved = storeAt('moved/.sluice');
  expect(paths(moved)).toEqual([join(dir, 'moved')]);
  registerWorkspace(moved, join(dir, 'moved'), now);
  expect(paths(moved)).toEqual([join(dir, 'moved')]);
});

test('a shared store knows each workspace once, whatever link leads there', () => {
  const store = storeAt('shared');
  for (const name of ['a', 'b']) fs.mkdirSync(join(dir, name));
  fs.symlinkSync(join(dir, 'a'), join(dir, 'link'));
  registerWorkspace(store, join(dir, 'b'), now);
  registerWorkspace(store, join(dir, 'a'), now);
  registerWorkspace(store, join(dir, 'link'), now);
  expect(paths(store)).toEqual([join(dir, 'a'), join(dir, 'b')]);
  fs.rmSync(join(dir, 'b'), { recursive: true });
  expect(paths(store)).toEqual([join(dir, 'a'), join(dir, 'b')]);
  expect(forgetWorkspace(store, join(dir, 'b'))).toBe(true);
  expect(forgetWorkspace(store, join(dir, 'b'))).toBe(false);
  expect(forgetWorkspace(store, join(dir, 'link'))).toBe(true);
  expect(paths(store)).toEqual([]);
});

test('is written again after a day', () => {
  const store = storeAt('one/.sluice');
  const seen = (): unknown => listWorkspaces(store).map((entry) => entry.kind === 'workspace' && entry.seen);
  registerWorkspace(store, join(dir, 'one'), now);
  registerWorkspace(store, join(dir, 'one'), new Date(now.getTime() + 3_600_000));
  expect(seen()).toEqual([now.toISOString()]);
  const later = new Date(now.getTime() + 25 * 3_600_000);
  registerWorkspace(store, join(dir, 'one'), later);
  expect(seen()).toEqual([later.toISOString()]);
});

test('a damaged entry is listed as such and can be forgotten by its file', () => {
  const store = storeAt('one/.sluice');
  registerWorkspace(store, join(dir, 'one'), now);
  const [entry] = listWorkspaces(store);
  fs.writeFileSync(entry?.file ?? '', '{"version": 1}');
  expect(paths(store)).toEqual(['damaged']);
  expect(forgetWorkspace(store, entry?.file ?? '')).toBe(true);
  expect(paths(store)).toEqual([]);
});

test('notes about outs that were kept aside', () => {
  const store = storeAt('one/.sluice');
  const note = {
    root: { kind: 'blob', digest: digestOf('x'), exec: true, files: 1, bytes: 1 } as const,
    path: parseRelPath('p/out'),
    workspace: '/somewhere',
    at: now.toISOString(),
    reason: 'edited by hand',
  };
  expect(listKept(store)).toEqual([]);
  writeKept(store, note);
  writeKept(store, { ...note, reason: 'edited again' });
  expect(listKept(store)).toEqual([{ kind: 'note', note: { ...note, reason: 'edited again' } }]);
  fs.writeFileSync(join(store.layout.kept, `${'0'.repeat(64)}.json`), '{}');
  expect(listKept(store).map(({ kind }) => kind)).toEqual(['damaged', 'note']);
  expect(removeKept(store, note.root.digest)).toBe(true);
  expect(removeKept(store, note.root.digest)).toBe(false);
});
