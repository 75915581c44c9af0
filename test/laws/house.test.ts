/** The laws of the house: floors, cycles, forbidden doors, header sentences, registries, proofs. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, readTree, type SourceFile } from './tree.ts';

/** DESIGN 3: what may import what. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  message: ['base'],
  store: ['base', 'message'],
  protocol: ['base', 'message', 'store'],
  trust: ['base', 'message', 'protocol'],
  policy: ['base', 'message', 'store', 'protocol', 'trust'],
  agents: ['base', 'message', 'store', 'protocol', 'trust', 'policy'],
  engine: ['base', 'message', 'store'],
  network: ['base', 'protocol'],
  audit: ['base', 'message', 'protocol', 'trust'],
  forensics: ['base', 'message', 'trust'],
  service: ['base', 'message', 'store', 'protocol', 'policy', 'agents'],
  web: ['base', 'message', 'store', 'policy', 'agents', 'audit', 'forensics'],
};

/** Floors that touch the system; everyone else is handed a World. */
const OUTSIDE = new Set(['engine', 'network', 'command']);

/** Node's modules that are arithmetic only: no time, chance, disk or network in them. */
const PURE_MODULES = new Set(['node:crypto', 'node:url', 'node:buffer', 'node:util']);

const FORBIDDEN: readonly [what: string, pattern: RegExp][] = [
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\)/],
  ['Math.random', /\bMath\.random\b/],
  ['performance.now', /\bperformance\.now\b/],
  ['setTimeout', /\bset(?:Timeout|Interval|Immediate)\b/],
  ['console', /\bconsole\.\w/],
  ['process', /\bprocess\.(?!versions\b)\w/],
  ['randomBytes', /\brandom(?:Bytes|UUID|Int|FillSync)\b/],
];

/** Proof classes and the only places that may make one (DESIGN 6). */
const MAKERS: Readonly<Record<string, RegExp>> = {
  'Durable.committed(': /^src\/engine\//,
  'Secure.established(': /^src\/network\//,
  'Authenticated.verified(': /^src\/protocol\/sasl\//,
  'RelayPermit.ownNotice(': /^src\/(?:agents\/(?:notify|reports)|policy)\//,
};

const REGISTRY_LINE = /^(?:\/\*\*.*\*\/|export \{ [\w\s,]+ \} from '\.\/[\w/.-]+\.ts';|)$/;

const tree = readTree();
const source = tree.filter((file) => file.floor !== 'test' && !file.isTest);
const byPath = new Map(tree.map((file) => [file.path, file]));

test('floors: a file imports only what its floor may', () => {
  const wrong = source.flatMap((file) => wrongFloors(file));
  assert.deepEqual(wrong, []);
});

test('ARCHITECTURE.md draws the floors as they are', () => {
  const page = readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const drawn = [...page.matchAll(/^([a-z]+) {2,}(\S+(?: \S+)*) {2,}\S/gm)].map(
    ([, floor = '', may = '']) => [floor, may === '-' ? [] : may.split(' ')] as const,
  );
  const there = new Set(source.map(({ floor }) => floor));
  assert.deepEqual(drawn.map(([floor]) => floor).toSorted(), [...there].toSorted());
  for (const [floor, may] of drawn) {
    assert.deepEqual(may, floor === 'command' ? ['everything'] : FLOORS[floor], floor);
  }
});

test('imports name files that exist, by alias across folders', () => {
  const wrong = tree.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== undefined && !existsSync(path.join(ROOT, target)))
      .map(({ specifier }) => `${file.path} -> ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test('no cycles, type imports included', () => {
  assert.deepEqual(findCycle(), undefined);
});

test('time, chance, disk and network come in through the World alone', () => {
  const wrong = source.filter((file) => !OUTSIDE.has(file.floor)).flatMap(forbiddenIn);
  assert.deepEqual(wrong, []);
});

test('every file opens with one sentence that says what it is', () => {
  const wrong = tree.filter((file) => !/^\/\*\*[\s\S]{10,400}?[.?]\s*\*\//.test(file.text));
  assert.deepEqual(paths(wrong), []);
});

test('the proofs are made in one place each', () => {
  const wrong = Object.entries(MAKERS).flatMap(([call, place]) =>
    source
      .filter((file) => file.text.includes(call) && !place.test(file.path))
      .map((file) => `${call} in ${file.path}`),
  );
  assert.deepEqual(wrong, []);
});

test('Durable is made at exactly one spot', () => {
  const spots = source.filter((file) => file.text.includes('Durable.committed('));
  assert.ok(spots.length <= 1, String(paths(spots)));
});

test('registries are lines of export and nothing else', () => {
  const registries = source.filter((file) => file.path.endsWith('/index.ts'));
  const wrong = registries.filter(
    (file) => !file.text.split('\n').every((line) => REGISTRY_LINE.test(line)),
  );
  assert.deepEqual(paths(wrong), []);
});

test('no dead files: everything is reached from the program or a test', () => {
  const reached = new Set<string>();
  const roots = tree.filter((file) => file.isTest || file.path === 'src/command/main.ts');
  const open = roots.map((file) => file.path);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    for (const { target } of byPath.get(next)?.imports ?? []) if (target) open.push(target);
    for (const [, worker] of byPath.get(next)?.text.matchAll(/new URL\('(\.[^']+\.ts)'/g) ?? []) {
      open.push(path.join(path.dirname(next), worker ?? ''));
    }
  }
  assert.deepEqual(paths(source.filter((file) => !reached.has(file.path))), []);
});

test('no SQL is put together from strings', () => {
  const sql = /\b(?:SELECT|INSERT|UPDATE|DELETE)\b[^`]*\$\{/;
  const wrong = source.filter((file) => {
    const templates = file.text.match(/`[^`]*`/g) ?? [];
    return file.floor === 'engine' && templates.some((template) => sql.test(template));
  });
  assert.deepEqual(paths(wrong), []);
});

test('the laws themselves can fail', () => {
  const bad: SourceFile = {
    path: 'src/base/bad.ts',
    floor: 'base',
    text: 'const now = Date.now();',
    isTest: false,
    imports: [{ specifier: '#engine/x.ts', target: 'src/engine/x.ts' }],
  };
  assert.equal(wrongFloors(bad).length, 1);
  assert.equal(forbiddenIn(bad).length, 1);
});

function wrongFloors(file: SourceFile): string[] {
  const allowed = FLOORS[file.floor];
  if (allowed === undefined) return [];
  return file.imports
    .filter(({ target }) => target !== undefined)
    .map(({ target }) => target?.split('/')[1] ?? '')
    .filter((floor) => floor !== file.floor && !allowed.includes(floor))
    .map((floor) => `${file.path} imports ${floor}`);
}

function forbiddenIn(file: SourceFile): string[] {
  const code = file.text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
  const words = FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([what]) => what);
  const modules = file.imports
    .map(({ specifier }) => specifier)
    .filter((name) => name.startsWith('node:') && !PURE_MODULES.has(name));
  return [...words, ...modules].map((what) => `${file.path} uses ${what}`);
}

function findCycle(): string | undefined {
  const done = new Set<string>();
  for (const start of source) {
    const trail: { path: string; next: number }[] = [{ path: start.path, next: 0 }];
    const on = new Set<string>([start.path]);
    while (trail.length > 0) {
      const here = trail[trail.length - 1]!;
      const target = byPath.get(here.path)?.imports[here.next++]?.target;
      if (here.next > (byPath.get(here.path)?.imports.length ?? 0) && target === undefined) {
        done.add(here.path);
        on.delete(here.path);
        trail.pop();
      } else if (target !== undefined && on.has(target)) {
        return [...on, target].join(' -> ');
      } else if (target !== undefined && byPath.has(target) && !done.has(target)) {
        trail.push({ path: target, next: 0 });
        on.add(target);
      }
    }
  }
  return undefined;
}

function paths(files: readonly SourceFile[]): string[] {
  return files.map((file) => file.path);
}
