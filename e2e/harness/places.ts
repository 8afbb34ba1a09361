import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { useS3Server } from '../../packages/engine/src/testing/s3.js';
import type { Workspace } from './workspace.js';

/** What lies under a key of a remote. */
export interface Stored {
  readonly bytes: number;
  /** When it was written, as the place says it: in a bucket to the second. */
  readonly atMs: number;
}

/** A kind of place for remotes: the same story is told of each. */
export interface Place {
  readonly name: 'a directory' | 'a bucket';
  /** Gives a workspace a default remote in a new place; what comes back has what processes need to reach that. */
  prepare(workspace: Workspace): Promise<Workspace>;
  /** All that lies in the place that was prepared last, by key. */
  contents(): Promise<ReadonlyMap<string, Stored>>;
}

/** A directory beside the workspace, and a bucket of a real server, which runs while the tests of the file do. */
export function usePlaces(): readonly [directory: Place, bucket: Place] {
  return [aDirectory(), aBucket()];
}

function aDirectory(): Place {
  let root = '';
  return {
    name: 'a directory',
    prepare: async (workspace) => {
      root = join(dirname(workspace.root), 'remote');
      await workspace.sluice('init', '--remote', 'file:../remote');
      return workspace;
    },
    contents: async () => {
      if (!existsSync(root)) return new Map();
      const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      return new Map(
        entries.map((entry) => {
          const path = join(entry.parentPath, entry.name);
          const { size, mtimeMs } = statSync(path);
          return [relative(root, path), { bytes: size, atMs: mtimeMs }];
        }),
      );
    },
  };
}

function aBucket(): Place {
  const { server, direct, newBucket } = useS3Server();
  const prefix = 'team/data/';
  let bucket = '';
  return {
    name: 'a bucket',
    prepare: async (workspace) => {
      bucket = await newBucket();
      const reaching = workspace.with({ ...workspace.env, ...server().env });
      await reaching.sluice('init');
      const url = `s3://${bucket}/${prefix}`;
      await reaching.sluice('remote', 'add', 'origin', url, '--endpoint', server().endpoint);
      return reaching;
    },
    contents: async () => {
      const { Contents: listed = [] } = await direct().listObjectsV2({ Bucket: bucket });
      return new Map(
        listed.map(({ Key: key = '', Size: bytes = 0, LastModified: at }) => [
          key.slice(prefix.length),
          { bytes, atMs: at?.getTime() ?? 0 },
        ]),
      );
    },
  };
}
