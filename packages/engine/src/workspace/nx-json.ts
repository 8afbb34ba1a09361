import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { parseJsonc } from '../util/jsonc.js';
import { isObject, type JsonObject } from './merge-target.js';
import type { ProjectSources } from './project-sources.js';

/** `nx.json` with the file that it extends, field by field; empty when there is none. Throws `ERR_WORKSPACE` when one cannot be read. */
export function readNxJson(root: string, sources: ProjectSources): JsonObject {
  const own = parseNxJson('nx.json', sources.read('nx.json'));
  if (typeof own.extends !== 'string') return own;
  let path: string;
  try {
    path = createRequire(join(root, 'nx.json')).resolve(own.extends);
  } catch (error) {
    throw new SluiceError('ERR_WORKSPACE', `nx.json extends ${JSON.stringify(own.extends)}, which is not found`, {
      hint: 'Install the packages of the workspace, or correct "extends".',
      cause: error,
    });
  }
  return { ...parseNxJson(own.extends, sources.read(path)), ...own };
}

function parseNxJson(name: string, text: string | undefined): JsonObject {
  try {
    const value = parseJsonc(text ?? '{}');
    if (isObject(value)) return value;
  } catch (error) {
    throw new SluiceError(
      'ERR_WORKSPACE',
      `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: `Correct ${name}.`,
        cause: error,
      },
    );
  }
  throw new SluiceError('ERR_WORKSPACE', `${name} is not a JSON object`, { hint: `Correct ${name}.` });
}
