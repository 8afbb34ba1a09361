import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { readTree } from '../testing/disk-tree.js';
import { startTestProxy } from '../testing/proxy.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;

const track = (mutability = 'flexible') => ({
  executor: '@sluice/nx:track',
  options: { outs: [{ path: '{projectRoot}/data', mutability }] },
});

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp(path)), { recursive: true });
  fs.writeFileSync(temp(path), content);
}

async function open(mutability?: string): Promise<void> {
  write('ws/nx.json', '{}');
  const made = { executor: '@sluice/nx:stage', options: { command: 'true', outs: ['{projectRoot}/made'] } };
  write('ws/p/project.json', JSON.stringify({ name: 'p', targets: { data: track(mutability), made } }));
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
}

afterEach(() => engine.close());
const lock = (): string => fs.readFileSync(temp('ws/p/sluice-lock.json'), 'utf8');
const data = (): string => fs.readFileSync(temp('ws/p/data'), 'utf8');

describe('an archive', () => {
  const from = (): string => temp('in.tar.gz');
  const pack = (files: Record<string, string>): void => {
    fs.rmSync(temp('in'), { recursive: true, force: true });
    for (const [path, content] of Object.entries(files)) write(`in/${path}`, content);
    execFileSync('tar', ['-czf', from(), '-C', temp('in'), '.']);
  };
  const bringIn = () => engine.importArchive({ kind: 'tar', from: from(), select: ['p:data'] });

  test('becomes the new version, and the old one can be had', async () => {
    await open();
    pack({ 'a.txt': '1', 'b/c.txt': '22' });
    expect(await bringIn()).toMatchObject({ project: 'p', target: 'data', files: 2, bytes: 3, changed: true });
    const first = lock();
    pack({ 'b/c.txt': '22', d: '4' });
    expect(await bringIn()).toMatchObject({ files: 2, changed: true });
    expect(readTree(temp('ws/p/data'))).toEqual(readTree(temp('in')));
    expect(await bringIn()).toMatchObject({ changed: false });
    fs.writeFileSync(temp('ws/p/sluice-lock.json'), first);
    await engine.checkout({ select: [] });
    expect(fs.readFileSync(temp('ws/p/data/a.txt'), 'utf8')).toBe('1');
    expect((await engine.verify({ deep: true })).findings).toEqual([]);
  });

  test('changes nothing if it cannot be unpacked, and keeps what nobody had committed', async () => {
    await open();
    write('ws/p/data/mine.txt', 'mine');
    fs.writeFileSync(from(), 'no archive');
    await expect(bringIn()).rejects.toMatchObject({ code: 'ERR_ARCHIVE_INVALID' });
    expect(fs.readFileSync(temp('ws/p/data/mine.txt'), 'utf8')).toBe('mine');
    pack({ a: '1' });
    await bringIn();
    expect(fs.readdirSync(temp('ws/p/data'))).toEqual(['a']);
    const kept = fs.readdirSync(temp('ws/.sluice/kept'))[0]?.replace('.json', '') ?? '';
    await engine.checkoutKept(kept);
    expect(fs.readdirSync(temp('ws/p/data'))).toEqual(['mine.txt']);
  });

  test.each(['strict', 'append-only'])('does not replace %s data', async (mutability) => {
    await open(mutability);
    pack({ a: '1' });
    await bringIn();
    const before = lock();
    pack({ a: '2' });
    await expect(bringIn()).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
    expect(fs.readFileSync(temp('ws/p/data/a'), 'utf8')).toBe('1');
    expect(lock()).toBe(before);
  });

  test.each([[['p:made']], [['p']], [['p:data#a']]])('is not brought in as %j', async (select) => {
    await open();
    pack({ a: '1' });
    await expect(engine.importArchive({ kind: 'tar', from: from(), select })).rejects.toMatchObject({
      code: 'ERR_USAGE',
    });
  });
});

describe('a URL', () => {
  let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
  let requests: http.IncomingMessage[];
  let server: http.Server;
  let url: string;
  beforeEach(async () => {
    requests = [];
    server = http.createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cities.csv`;
    await open();
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const serve = (text: string, etag: string) => (request: http.IncomingMessage, response: http.ServerResponse) => {
    const isKnown = request.headers['if-none-match'] === etag;
    response.writeHead(isKnown ? 304 : 200, { etag }).end(isKnown ? undefined : text);
  };

  test('is received, noted, and received again only when it changed', async () => {
    answer = serve('one', '"1"');
    expect(await engine.importUrl({ url, select: ['p:data'] })).toMatchObject({ bytes: 3, changed: true });
    expect(data()).toBe('one');
    const noted = JSON.parse(fs.readFileSync(temp('ws/p/sluice-imports.json'), 'utf8'));
    const digest = 'sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
    expect(noted).toEqual({ version: 1, imports: { 'p/data': { url, etag: '"1"', digest, bytes: 3 } } });
    expect(await engine.updateImports({ select: [] })).toMatchObject([{ changed: false }]);
    expect(requests.at(-1)?.headers['if-none-match']).toBe('"1"');
    answer = serve('two', '"2"');
    expect(await engine.updateImports({ select: ['p:data'] })).toMatchObject([{ changed: true, bytes: 3 }]);
    expect(data()).toBe('two');
  });

  test('is received whole when the dataset is another version by now', async () => {
    answer = serve('one', '"1"');
    await engine.importUrl({ url, select: ['p:data'] });
    fs.writeFileSync(temp('ws/p/data'), 'by hand');
    await engine.commit({ select: [] });
    expect(await engine.updateImports({ select: [] })).toMatchObject([{ changed: true }]);
    expect(data()).toBe('one');
  });

  test('is received through the proxy of the environment, and a proxy that refuses is named', async () => {
    await engine.close();
    answer = serve('one', '"1"');
    const proxy = await startTestProxy({ hosts: { 'files.invalid:80': new URL(url).host } });
    const env = { ...process.env, HTTP_PROXY: `http://me:secret@${proxy.host}` };
    engine = await openEngine({ root: temp('ws'), env, threads: 0 });
    const bringFar = (address: string) => engine.importUrl({ url: address, select: ['p:data'] });
    expect(await bringFar('http://files.invalid/cities.csv')).toMatchObject({ bytes: 3, changed: true });
    expect(proxy.seen).toEqual(['GET http://files.invalid/cities.csv']);
    expect(requests[0]?.headers).not.toHaveProperty('proxy-authorization');
    await proxy.stop();
    await expect(bringFar('http://files.invalid/gone')).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: `http://files.invalid/gone cannot be had: the proxy http://${proxy.host} (HTTP_PROXY) does not answer (ECONNREFUSED)`,
    });
  });

  test('is followed through redirects', async () => {
    answer = (request, response) =>
      request.url === '/cities.csv'
        ? response.writeHead(302, { location: '/other' }).end()
        : response.end('from elsewhere');
    await engine.importUrl({ url, select: ['p:data'] });
    expect(data()).toBe('from elsewhere');
  });

  test.each([
    ['file:///etc/passwd', 'ERR_URL_UNSAFE'],
    ['ftp://host/a', 'ERR_URL_UNSAFE'],
    ['data:text/plain,a', 'ERR_URL_UNSAFE'],
    ['https://user:secret@host/a', 'ERR_URL_UNSAFE'],
    ['no url', 'ERR_URL_UNSAFE'],
  ])('%s is not asked for', async (bad, code) => {
    await expect(engine.importUrl({ url: bad, select: ['p:data'] })).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('secret'),
    });
  });

  test.each<[string, typeof answer, string]>([
    ['redirects to a file', (_, to) => to.writeHead(302, { location: 'file:///etc/passwd' }).end(), 'ERR_URL_UNSAFE'],
    [
      'redirects to credentials',
      (_, to) => to.writeHead(301, { location: 'http://user:secret@127.0.0.1/' }).end(),
      'ERR_URL_UNSAFE',
    ],
    ['redirects for ever', (_, to) => to.writeHead(302, { location: '/cities.csv' }).end(), 'ERR_DOWNLOAD'],
    ['refuses', (_, to) => to.writeHead(403).end('no'), 'ERR_DOWNLOAD'],
    ['has nothing', (_, to) => to.writeHead(404).end('none'), 'ERR_DOWNLOAD'],
    ['says unchanged without being asked', (_, to) => to.writeHead(304).end(), 'ERR_DOWNLOAD'],
    [
      'breaks off',
      (_, to) => {
        to.writeHead(200, { 'content-length': '100' });
        to.write('only this', () => to.destroy());
      },
      'ERR_DOWNLOAD',
    ],
  ])('a server that %s changes nothing', async (_, badAnswer, code) => {
    answer = serve('one', '"1"');
    await engine.importUrl({ url, select: ['p:data'] });
    const before = lock();
    answer = badAnswer;
    await expect(engine.importUrl({ url, select: ['p:data'] })).rejects.toMatchObject({ code });
    expect([data(), lock()]).toEqual(['one', before]);
    expect(fs.readdirSync(temp('ws/.sluice/moves'))).toEqual([]);
  });

  test('gives a file, so it does not replace a directory', async () => {
    write('ws/p/data/a', '1');
    await engine.commit({ select: [] });
    await expect(engine.importUrl({ url, select: ['p:data'] })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

test('a list of imports that is damaged is told with its place', async () => {
  await open();
  for (const text of ['{', '{"version": 2}', '{"version": 1, "imports": {"../x": {}}}']) {
    write('ws/p/sluice-imports.json', text);
    await expect(engine.updateImports({ select: [] })).rejects.toMatchObject({ code: 'ERR_IMPORTS_INVALID' });
  }
});
