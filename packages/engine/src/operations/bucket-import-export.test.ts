import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { useFaultProxy, useS3Server } from '../testing/s3.js';
import { useTempDir } from '../testing/temp-dir.js';

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const temp = useTempDir();
let engine: Engine;
let events: SluiceEvent[];
let bucket: string;
const endpoint = (): string => proxy().endpoint;

function write(path: string, content: string | Buffer): void {
  fs.mkdirSync(dirname(temp(path)), { recursive: true });
  fs.writeFileSync(temp(path), content);
}

async function open(offline = false): Promise<void> {
  engine = await openEngine({
    root: temp('ws'),
    env: process.env,
    threads: 0,
    offline,
    emit: (event) => events.push(event),
  });
}

const track = (...outs: string[]) => ({ executor: '@sluice/nx:track', options: { outs } });
const requests = (method: string): string[] => proxy().seen.filter((line) => line.startsWith(method));

beforeEach(async () => {
  events = [];
  bucket = await newBucket();
  write('ws/nx.json', '{}');
  const targets = { data: track('{projectRoot}/data'), one: track('{projectRoot}/one.bin') };
  write('ws/p/project.json', JSON.stringify({ name: 'p', targets }));
  await open();
});
afterEach(() => engine.close());

describe('an object is imported', () => {
  const put = (content: Buffer | string): Promise<unknown> =>
    direct().putObject({ Bucket: bucket, Key: 'raw data/größe+1%20.bin', Body: Buffer.from(content) });
  const url = (): string => `s3://${bucket}/raw data/größe+1%20.bin`;
  const noted = (): Record<string, unknown> =>
    JSON.parse(fs.readFileSync(temp('ws/p/sluice-imports.json'), 'utf8')).imports['p/one.bin'];
  const bringIn = () => engine.importUrl({ select: ['p:one'], url: url(), s3: { endpoint: endpoint() } });

  test('once, and again only when it changed', async () => {
    const first = randomBytes(20_000_001);
    await put(first);
    expect(await bringIn()).toMatchObject({ files: 1, bytes: first.length, changed: true });
    expect(fs.readFileSync(temp('ws/p/one.bin')).equals(first)).toBe(true);
    expect(requests('GET')).toHaveLength(3);
    const digest = `sha256:${createHash('sha256').update(first).digest('hex')}`;
    expect(noted()).toMatchObject({ url: url(), s3: { endpoint: endpoint() }, etag: expect.any(String), digest });
    const last = events.filter((event) => event.type === 'progress' && event.phase === 'receiving').at(-1);
    expect(last).toMatchObject({ files: 1, totalFiles: 1, bytes: first.length, totalBytes: first.length });

    const before = proxy().seen.length;
    expect(await engine.updateImports({ select: [] })).toMatchObject([{ changed: false, digest }]);
    expect(proxy().seen.slice(before)).toEqual([expect.stringMatching(/^HEAD /)]);
    await put('now small');
    expect(await engine.updateImports({ select: [] })).toMatchObject([{ changed: true, bytes: 9 }]);
    expect(fs.readFileSync(temp('ws/p/one.bin'), 'utf8')).toBe('now small');
    await put('');
    expect(await engine.updateImports({ select: ['p:one'] })).toMatchObject([{ changed: true, bytes: 0 }]);
  });

  test('as one version: what is replaced meanwhile is not mixed', async () => {
    await put(randomBytes(20_000_000));
    let swapped: Promise<unknown> | undefined;
    proxy().onAnswer = ({ line }) => {
      if (line.startsWith('HEAD') && swapped === undefined) swapped = put(randomBytes(20_000_000));
    };
    proxy().inject(/^GET /, { kind: 'wait', ms: 1000 }, 3);
    await expect(bringIn()).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('changed'),
    });
    await swapped;
    expect(fs.existsSync(temp('ws/p/one.bin'))).toBe(false);
    expect(fs.existsSync(temp('ws/p/sluice-imports.json'))).toBe(false);
  });

  test.each([
    ['of no object', 'no-such-key', 'ERR_DOWNLOAD'],
    ['of a directory', 'dir/', 'ERR_URL_UNSAFE'],
    ['that is empty', '', 'ERR_URL_UNSAFE'],
    ['that leads elsewhere', 'a/../../b', 'ERR_URL_UNSAFE'],
    ['that is too long', 'k'.repeat(1025), 'ERR_URL_UNSAFE'],
  ])('but not by a key %s', async (_, key, code) => {
    const asked = { select: ['p:one'], url: `s3://${bucket}/${key}`, s3: { endpoint: endpoint() } };
    await expect(engine.importUrl(asked)).rejects.toMatchObject({ code });
  });

  test('but never with credentials in its address, with settings that are none, or offline', async () => {
    const ask = (url: string, s3: object) => engine.importUrl({ select: ['p:one'], url, s3 });
    await expect(ask('s3://me:pw@some-bucket/k', {})).rejects.toMatchObject({ code: 'ERR_URL_UNSAFE' });
    await expect(ask('s3://some-bucket/k', { endpoint: 'ftp://h' })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(ask('https://h/k', { region: 'r' })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await engine.close();
    await open(true);
    await expect(ask('s3://some-bucket/k', {})).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
  });
});

describe('data is exported as plain objects', () => {
  const LARGE = randomBytes(30_000_000);
  const to = (): string => `s3://${bucket}/delivery/1`;
  const exportAll = (more: object = {}) =>
    engine.exportData({ select: ['p:data'], to: to(), s3: { endpoint: endpoint() }, ...more });
  const FILES: Readonly<Record<string, string | Buffer>> = {
    'a.txt': 'a',
    'b/ä +%.txt': 'strange',
    'b/empty': '',
    'b/medium': randomBytes(3_000_000),
    'large.bin': LARGE,
  };
  const keyOf = (path: string): string => `delivery/1/${path}`;
  const objects = async (): Promise<string[]> =>
    ((await direct().listObjectsV2({ Bucket: bucket })).Contents ?? []).map(({ Key = '' }) => Key);
  const bytesOf = async (key: string): Promise<Buffer> =>
    Buffer.from((await (await direct().getObject({ Bucket: bucket, Key: key })).Body?.transformToByteArray()) ?? []);

  beforeEach(async () => {
    for (const [path, content] of Object.entries(FILES)) write(`ws/p/data/${path}`, content);
    write('ws/p/one.bin', 'one');
    await engine.commit({ select: [] });
  });

  test('byte for byte, and what is there is not sent again', async () => {
    expect(await exportAll()).toMatchObject({ to: to(), written: 5, unchanged: 0, bytes: 33_000_008 });
    expect((await objects()).sort()).toEqual(Object.keys(FILES).map(keyOf).sort());
    for (const [path, content] of Object.entries(FILES)) {
      expect((await bytesOf(keyOf(path))).equals(Buffer.from(content))).toBe(true);
    }
    const sent = events.filter((event) => event.type === 'progress' && event.phase === 'sending').at(-1);
    expect(sent).toMatchObject({ files: 5, totalFiles: 5, bytes: 33_000_008, totalBytes: 33_000_008 });

    const before = proxy().seen.length;
    expect(await exportAll()).toMatchObject({ written: 0, unchanged: 5, bytes: 0 });
    // Those that went in one piece are known by their tag; the large one is asked for its note.
    expect(
      proxy()
        .seen.slice(before)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['GET', 'HEAD']);
  });

  test('what others put there is known by its bytes, and other bytes are replaced only when told to', async () => {
    await direct().putObject({ Bucket: bucket, Key: keyOf('b/medium'), Body: FILES['b/medium'] ?? '' });
    await direct().putObject({ Bucket: bucket, Key: keyOf('a.txt'), Body: 'b' });
    await direct().putObject({ Bucket: bucket, Key: keyOf('mine'), Body: 'mine' });
    await expect(exportAll()).rejects.toMatchObject({ code: 'ERR_EXPORT_EXISTS' });
    expect(requests('PUT')).toEqual([]);
    expect(await exportAll({ force: true })).toMatchObject({ written: 4, unchanged: 1 });
    expect((await bytesOf(keyOf('a.txt'))).toString()).toBe('a');
    expect((await bytesOf(keyOf('mine'))).toString()).toBe('mine');
  });

  test('an export that was interrupted goes on, also within a large file', async () => {
    proxy().inject(/^POST .*large.bin.*uploadId=/, { kind: 'status', status: 403, code: 'AccessDenied' });
    await expect(exportAll()).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
    const before = requests('PUT').length;
    expect(await exportAll()).toMatchObject({ written: expect.any(Number) });
    const again = requests('PUT').slice(before);
    expect(again.filter((line) => line.includes('large.bin'))).toEqual([]);
    expect((await bytesOf(keyOf('large.bin'))).equals(LARGE)).toBe(true);
    expect((await direct().listMultipartUploads({ Bucket: bucket })).Uploads ?? []).toEqual([]);
  });

  test('several outs lie below their paths; links and empty directories are told of', async () => {
    fs.symlinkSync('a.txt', temp('ws/p/data/link'));
    fs.mkdirSync(temp('ws/p/data/none'));
    await engine.commit({ select: [] });
    expect(await exportAll({ select: ['p'] })).toMatchObject({ written: 6 });
    expect(await objects()).toEqual(expect.arrayContaining([keyOf('p/one.bin'), keyOf('p/data/a.txt')]));
    const told = events.flatMap((event) => (event.type === 'warning' ? event.message : []));
    expect(told).toEqual([`${to()}: 1 link and 1 empty directory are left out: a bucket has only files`]);
  });

  test('not where a remote keeps its objects, not as a tar file, and not to what is no prefix', async () => {
    const url = `s3://${bucket}/delivery`;
    write('ws/sluice.json', JSON.stringify({ remotes: { shelf: { url, endpoint: endpoint() } } }));
    await expect(exportAll()).rejects.toMatchObject({ code: 'ERR_USAGE', message: expect.stringContaining('shelf') });
    await expect(exportAll({ to: `s3://${bucket}` })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(exportAll({ to: `s3://${bucket}/beside`, tar: true })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(exportAll({ to: `s3://${bucket}/../x` })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(exportAll({ to: temp('x') })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await objects()).toEqual([]);
  });

  test('a damaged blob never arrives', async () => {
    const hex = createHash('sha256').update(LARGE).digest('hex');
    const path = temp('ws/.sluice/objects', hex.slice(0, 2), hex.slice(2));
    fs.chmodSync(path, 0o644);
    const damaged = Buffer.from(LARGE);
    damaged.writeUInt8(damaged.readUInt8(7) ^ 1, 7);
    fs.writeFileSync(path, damaged);
    await expect(exportAll()).rejects.toMatchObject({ code: 'ERR_OBJECT_DAMAGED' });
    expect(await objects()).not.toContain(keyOf('large.bin'));
  });
});
