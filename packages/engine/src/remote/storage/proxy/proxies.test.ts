import { readProxies, targetOf } from './proxies.js';

function nameFor(env: Record<string, string>, url: string): string | undefined {
  return readProxies(env)?.proxyFor(targetOf(new URL(url)))?.name;
}

const FAR = 'https://bucket.s3.eu-central-1.amazonaws.com/key';

test('without a variable there is nothing', () => {
  expect(readProxies({})).toBeUndefined();
  expect(readProxies({ HTTPS_PROXY: '', http_proxy: ' ', NO_PROXY: '*' })).toBeUndefined();
});

test.each([
  [{ HTTPS_PROXY: 'http://p:1' }, FAR, 'http://p:1 (HTTPS_PROXY)'],
  [{ HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' }, FAR, 'http://q:2 (https_proxy)'],
  [{ HTTPS_PROXY: 'http://p:1', https_proxy: '' }, FAR, 'http://p:1 (HTTPS_PROXY)'],
  [{ HTTPS_PROXY: 'http://p:1' }, 'http://far/', undefined],
  [{ HTTP_PROXY: 'http://p:1' }, FAR, undefined],
  [{ HTTP_PROXY: 'http://p:1' }, 'http://far/', 'http://p:1 (HTTP_PROXY)'],
  [{ ALL_PROXY: 'http://p:1' }, FAR, 'http://p:1 (ALL_PROXY)'],
  [{ all_proxy: 'http://p:1', HTTP_PROXY: 'http://q:2' }, 'http://far/', 'http://q:2 (HTTP_PROXY)'],
  [{ HTTPS_PROXY: 'p:3128' }, FAR, 'http://p:3128 (HTTPS_PROXY)'],
  [{ HTTPS_PROXY: 'p' }, FAR, 'http://p:80 (HTTPS_PROXY)'],
  [{ HTTPS_PROXY: 'https://p' }, FAR, 'https://p:443 (HTTPS_PROXY)'],
  [{ HTTPS_PROXY: 'http://[::2]:8' }, FAR, 'http://[::2]:8 (HTTPS_PROXY)'],
])('%j for %s', (env, url, name) => {
  expect(nameFor(env as Record<string, string>, url)).toBe(name);
});

test.each([
  'http://localhost:7070/',
  'http://s3.localhost/',
  'https://127.8.9.10/',
  'http://[::1]:9/',
  'http://[::ffff:127.0.0.1]/',
  'http://169.254.169.254/latest/meta-data',
  'http://169.254.170.2/credentials',
  'http://[fd00:ec2::254]/',
])('%s is too near for a proxy', (url) => {
  expect(nameFor({ ALL_PROXY: 'http://p:1', HTTPS_PROXY: 'http://p:1' }, url)).toBeUndefined();
});

test.each([
  ['*', FAR],
  ['amazonaws.com', FAR],
  ['other.com, .amazonaws.com', FAR],
  ['other.com\t*.AmazonAWS.com.', FAR],
  ['BUCKET.s3.eu-central-1.amazonaws.com', FAR],
  ['amazonaws.com:443', FAR],
  ['10.1.0.0/16', 'http://10.1.2.3/'],
  ['10.1.2.3', 'http://10.1.2.3:9000/'],
  ['10.1.2.3:9000', 'http://10.1.2.3:9000/'],
  ['[2001:db8::1]', 'http://[2001:db8:0::1]/'],
  ['2001:db8::/32', 'http://[2001:db8::5]/'],
  ['[2001:db8::1]:90', 'http://[2001:db8::1]:90/'],
])('NO_PROXY=%s excepts %s', (list, url) => {
  expect(nameFor({ ALL_PROXY: 'http://p:1', NO_PROXY: list }, url)).toBeUndefined();
  expect(nameFor({ ALL_PROXY: 'http://p:1', NO_PROXY: 'other', no_proxy: list }, url)).toBeUndefined();
});

test.each([
  ['aws.com', FAR],
  ['amazonaws.com:80', FAR],
  ['s3.amazonaws.com', FAR],
  ['', FAR],
  ['. , ..', FAR],
  ['10.1.0.0/99, 10.1.0.0/x, 10.2.0.0/16, ten/8', 'http://10.1.2.3/'],
  ['1.2.3', 'http://10.1.2.3/'],
  ['2.3', 'http://10.1.2.3/'],
  ['2001:db9::/32', 'http://[2001:db8::5]/'],
])('NO_PROXY=%s does not except %s', (list, url) => {
  expect(nameFor({ ALL_PROXY: 'http://p:1', NO_PROXY: list }, url)).toBe('http://p:1 (ALL_PROXY)');
});

test('credentials are read and never shown', () => {
  const proxy = readProxies({ HTTPS_PROXY: 'http://me:p%40ss%25@p:1' })?.proxyFor(targetOf(new URL(FAR)));
  expect(proxy?.name).toBe('http://p:1 (HTTPS_PROXY)');
  expect(proxy?.authorization).toBe(`Basic ${Buffer.from('me:p@ss%').toString('base64')}`);
  const odd = readProxies({ HTTPS_PROXY: 'http://me:100%@p:1' })?.proxyFor(targetOf(new URL(FAR)));
  expect(odd?.authorization).toBe(`Basic ${Buffer.from('me:100%').toString('base64')}`);
});

test.each([
  ['socks5://me:secret@p:1080', 'names a proxy of the kind socks5:, which is not supported'],
  ['http://me:secret@p:notaport', 'is no address of a proxy'],
  ['me:secret@', 'is no address of a proxy'],
])('%s cannot be used, which is told without it', (text, problem) => {
  const ask = () => nameFor({ ALL_PROXY: text }, FAR);
  expect(ask).toThrow(expect.objectContaining({ code: 'ERR_CONFIG', message: `the variable ALL_PROXY ${problem}` }));
  expect(nameFor({ ALL_PROXY: text }, 'http://localhost:1/')).toBeUndefined();
});
