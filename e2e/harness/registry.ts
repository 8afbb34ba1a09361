import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freshTarballs } from '../../scripts/tarballs.mjs';

/** A package registry on this machine that holds our packages and nothing else. */
export interface Registry {
  /** With a slash at its end. */
  readonly url: string;
  /** The version that the packages have. */
  readonly version: string;
  /** What `.npmrc` says, so that our scope comes from here. */
  readonly npmrc: string;
  close(): void;
}

/** A version that is as the real one, for whoever updates. */
export const NEXT_VERSION = '99.0.0';

/** Serves the packed packages. Whatever is not in our scope comes from where npm gets it otherwise. */
export async function serveRegistry(): Promise<Registry> {
  const tarballs = await freshTarballs();
  const packages = Object.entries(tarballs).map(([name, path]) => ({ name, bytes: readFileSync(path), path }));
  const manifests = new Map(packages.map(({ name, path }) => [name, manifestOf(path)]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    const found = packages.find(({ name }) => path === name || path === `${name}.tgz`);
    if (found === undefined) response.writeHead(404).end('{}');
    else if (path.endsWith('.tgz')) response.end(found.bytes);
    else
      response.end(JSON.stringify(packument(found.name, manifests.get(found.name) ?? {}, found.bytes, urlOf(server))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = urlOf(server);
  return {
    url,
    version: String(manifests.get('@sluice/nx')?.version),
    npmrc: `@sluice:registry=${url}\n`,
    close: () => server.close(),
  };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function manifestOf(tarball: string): Record<string, unknown> {
  return JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));
}

function packument(name: string, manifest: Record<string, unknown>, bytes: Buffer, url: string): object {
  const dist = {
    tarball: `${url}${name}.tgz`,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
  };
  const version = String(manifest.version);
  return {
    name,
    'dist-tags': { latest: version },
    versions: {
      [version]: { ...manifest, dist },
      [NEXT_VERSION]: { ...manifest, version: NEXT_VERSION, dist },
    },
  };
}
