/** The laws of the documents: the weaknesses table names real tests, links lead somewhere. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import { checksPage } from '#audit/catalogue.ts';
import * as restrictions from '#policy/checks/index.ts';
import { standardsPage, untitled } from './standards.ts';
import { ROOT, readTree } from './tree.ts';

const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test('each row of the weaknesses table has a cure and a proof, and the proof is a test', () => {
  const titles = new Set<string>(
    readTree()
      .filter((file) => file.isTest)
      .flatMap((file) => [...file.text.matchAll(/\btest\(\s*['"`](.+?)['"`],/g)])
      .map((match) => match[1] ?? ''),
  );
  const rows = page('docs/weaknesses.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| weakness'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  assert.ok(rows.length >= 10);
  for (const [, weakness = '', cure = '', , , proof = ''] of rows) {
    assert.notEqual(cure, '', weakness);
    assert.ok(titles.has(proof), `${weakness}: no test is called "${proof}"`);
  }
});

test('links between the documents, and files they name, are there', () => {
  const broken = PAGES.flatMap((name) => {
    const text = page(name);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map((match) =>
      path.join(path.dirname(name), match[1] ?? ''),
    );
    const files = [...text.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)].map((m) => m[1] ?? '');
    return [...links, ...files]
      .filter((target) => !existsSync(path.join(ROOT, target)))
      .map((target) => `${name}: ${target}`);
  });
  assert.deepEqual(broken, []);
});

function page(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8');
}

test('each figure of the README stands in the document that it names', () => {
  const rows = [...page('README.md').matchAll(/^\| .+ \| (.+) \| \[(docs\/[a-z]+\.md)\]/gm)];
  assert.ok(rows.length >= 5, 'no table of figures');
  const missing = rows.flatMap(([, cell = '', source = '']) => {
    const figures = cell.match(/\d[\d.,]*/g)?.filter((figure) => figure !== '1') ?? [];
    assert.notEqual(figures.length, 0, cell);
    const text = page(source);
    const stands = (figure: string): boolean =>
      new RegExp(String.raw`(?<![\d.,])${figure.replaceAll('.', String.raw`\.`)}(?![\d.])`).test(
        text,
      );
    return figures.filter((one) => !stands(one)).map((one) => `${one}: not in ${source}`);
  });
  assert.deepEqual(missing, []);
});

test('docs/policy.md has a row for each restriction, and none for what is not there', () => {
  const rows = page('docs/policy.md').matchAll(/^\| (`[^|]+) \|/gm);
  const named = [...rows].flatMap(
    ([, cell = '']) => cell.match(/[a-z]+(?:_[a-z]+)*(?=[` ])/g) ?? [],
  );
  const lists = /^smtpd_|_if_reject$/;
  const known = Object.values(restrictions).map(({ name }) => name);
  assert.deepEqual(named.filter((name) => !lists.test(name)).toSorted(), known.toSorted());
});

test('docs/standards.md is current (npm run docs), every cited RFC has a title', () => {
  assert.deepEqual(untitled(), []);
  assert.equal(page('docs/standards.md'), standardsPage());
});

test('docs/checks.md is current (npm run docs), ids are unique and well formed', () => {
  const checks = checksOf(PROBES);
  const declared = new Set(PROBES.flatMap((probe) => probe.checks));
  assert.equal(declared.size, checks.length, 'two checks share an id');
  for (const { id } of checks) assert.match(id, /^[a-z]+\.[a-z0-9]+(?:-[a-z0-9]+)*$/);
  assert.equal(new Set(PROBES.map(({ name }) => name)).size, PROBES.length, 'probes share a name');
  assert.equal(page('docs/checks.md'), checksPage(PROBES));
});

test('each check says what it means and does not mean, and every probe has its test', () => {
  const tests = readTree().filter((file) => file.isTest);
  const untested = checksOf(PROBES).filter(
    ({ id }) => !tests.some((file) => file.text.includes(id)),
  );
  assert.deepEqual(
    untested.map(({ id }) => id),
    [],
  );
  const silent = checksOf(PROBES).filter(
    ({ means, doesNotMean, title }) => means.length < 20 || doesNotMean.length < 10 || title === '',
  );
  assert.deepEqual(silent, []);
});

test('the probe column of the weaknesses names checks and groups that exist', () => {
  // The page is made from the checks, those of configurations included: the law above says so.
  const headings = page('docs/checks.md').matchAll(/^### (\S+)$/gm);
  const ids = new Set<string>([...headings].map(([, id = '']) => id));
  const groups = new Set([...ids].map((id) => id.split('.', 1)[0]));
  assert.ok(ids.size >= checksOf(PROBES).length);
  const cells = page('docs/weaknesses.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| weakness'))
    .map((line) => line.split('|')[3] ?? '');
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, id = '']) => id));
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter((name) => !ids.has(name) && !groups.has(name)),
    [],
  );
});
