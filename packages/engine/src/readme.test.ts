import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const API = fileURLToPath(new URL('../../../docs/api.md', import.meta.url));

/** The examples of a page that promise to compile. */
function examples(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/<!-- compiled -->\n```ts\n([\s\S]*?)```/g)].map(
    ([, code = '']) => code,
  );
}

/** What the compiler says of modules that lie beside the README and import the package as it is published. */
function problemsOf(codes: readonly string[]): string[] {
  const files = new Map(codes.map((code, i) => [README.replace(/README\.md$/, `example-${i}.ts`), code]));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2024.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const code = files.get(path);
    return code === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, code, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test.each([
  ['the README', README],
  ['docs/api.md', API],
])('the examples of %s compile against what is published', (_, page) => {
  expect(examples(page).length).toBeGreaterThan(0);
  expect(problemsOf(examples(page))).toEqual([]);
});

test('an example that is wrong would be noticed', () => {
  const [code = ''] = examples(README);
  expect(problemsOf([code.replace('before: base', 'befor: base')])).toEqual([expect.stringContaining('befor')]);
});
