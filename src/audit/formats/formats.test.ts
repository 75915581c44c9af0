/** Verdicts, waivers, comparison, and that nothing from outside gets out of its place in a report. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReports } from '../compare.ts';
import type { Finding } from '../finding.ts';
import { REPORT_SCHEMA, type Report } from '../report.ts';
import { judge, readWaivers } from '../verdict.ts';
import { htmlText } from './html.ts';
import { jsonText, readReport } from './json.ts';
import { junitText } from './junit.ts';
import { sarifText } from './sarif.ts';

const NOW = Date.UTC(2026, 10, 22);
const EVIL = '</script><img src=x onerror=alert(1)>\u001b[2J\u202e\u009b1m]]>&"\'`';

function finding(more: Partial<Finding>): Finding {
  return {
    id: 'plaintext.no-tls',
    title: 'x',
    group: 'plaintext',
    level: 'safe',
    severity: 'high',
    confidence: 'confirmed',
    seen: EVIL,
    means: 'm',
    doesNotMean: 'd',
    rfc: [],
    target: { host: EVIL, address: '127.0.0.1', port: 25, protocol: 'smtp', tls: 'none' },
    controls: {},
    details: { said: EVIL },
    evidence: [],
    product: 'unknown',
    cures: [],
    at: '2026-11-22T00:00:00.000Z',
    ...more,
  };
}

function report(findings: readonly Finding[]): Report {
  return {
    schema: REPORT_SCHEMA,
    version: '1',
    target: EVIL,
    started: '2026-11-22T00:00:00.000Z',
    finished: '2026-11-22T00:00:01.000Z',
    level: 'safe',
    grounds: [{ host: EVIL, ground: { kind: 'authorised', by: EVIL } }],
    vantage: { source: undefined, note: EVIL },
    services: [],
    others: [{ host: EVIL, port: 1, why: EVIL }],
    closedPorts: 0,
    filteredPorts: 0,
    spent: { connections: 1, messages: 0, sentBytes: 0, receivedBytes: 0 },
    findings,
    request: { places: [], domains: [], level: 'safe', source: undefined, selectors: [] },
  };
}

const verdictOf = (...more: Partial<Finding>[]) =>
  judge(report(more.map(finding)), 'high', [], NOW).verdict;

const at = (port: number, confidence: Finding['confidence']) =>
  finding({
    confidence,
    target: { host: 'h', address: '', port, protocol: 'smtp', tls: 'none' },
  });

const ports = (findings: readonly Finding[]) => findings.map(({ target }) => target.port);

test('text from outside stays text in every format', () => {
  const one = report([finding({})]);
  const judged = judge(one, 'high', [], NOW);
  const html = htmlText(one, judged);
  assert.doesNotMatch(html, /<img|<script|onerror=alert\(1\)>/);
  assert.doesNotMatch(html, /[\x00-\x09\x1b\x7f-\x9f\u202e]/);
  const junit = junitText(one, () => true);
  assert.doesNotMatch(junit, /<img|\]\]>|\x1b/);
  for (const text of [jsonText(one), jsonText(one, 1), sarifText(one)]) {
    assert.match(text, /^[\x20-\x7e\n]*$/);
    JSON.parse(text);
  }
  assert.equal(JSON.parse(jsonText(one)).target, EVIL, 'nothing is lost');
});

test('found fails, what could hide a failure is undecided, the rest passes', () => {
  assert.equal(verdictOf({}), 'findings');
  assert.equal(verdictOf({ confidence: 'likely' }), 'findings');
  assert.equal(verdictOf({ severity: 'medium' }), 'pass');
  assert.equal(verdictOf({ confidence: 'not-observed' }), 'pass');
  assert.equal(verdictOf({ confidence: 'inconclusive' }), 'inconclusive');
  assert.equal(verdictOf({ confidence: 'inconclusive', severity: 'low' }), 'pass');
  assert.equal(verdictOf({ confidence: 'inconclusive' }, {}), 'findings');
  const nothing = { id: 'exposure.nothing-answers', severity: 'info' } as const;
  assert.equal(verdictOf({ ...nothing, confidence: 'inconclusive' }), 'inconclusive');
});

test('a waiver holds for its check and place, until the end of its day', () => {
  const row = { id: 'plaintext.no-tls', until: '2026-11-22', reason: 'known' };
  const verdict = (waiver: object, now = NOW) => {
    const waivers = readWaivers({ waiver: [waiver] });
    assert.ok(!('problem' in waivers));
    const target = {
      host: 'mx.test',
      address: '127.0.0.1',
      port: 25,
      protocol: 'smtp',
      tls: 'none',
    } as const;
    return judge(report([finding({ target })]), 'high', waivers, now).verdict;
  };
  assert.equal(verdict(row), 'pass');
  assert.equal(verdict({ ...row, target: 'mx.test:25' }), 'pass');
  assert.equal(verdict({ ...row, target: 'mx.test:587' }), 'findings');
  assert.equal(verdict({ ...row, id: 'plaintext' }), 'findings');
  assert.equal(verdict(row, NOW + 86_400_000), 'findings');
  for (const bad of [
    {},
    { ...row, until: undefined },
    { ...row, until: 'never' },
    { ...row, reason: ' ' },
  ]) {
    assert.ok('problem' in readWaivers({ waiver: [bad] }));
  }
  assert.ok('problem' in readWaivers(null));
});

test('compare: what can no longer be told is not taken for cured', () => {
  const before = report([
    at(1, 'confirmed'),
    at(2, 'confirmed'),
    at(3, 'confirmed'),
    at(4, 'confirmed'),
  ]);
  const after = report([
    at(1, 'likely'),
    at(2, 'not-observed'),
    at(3, 'inconclusive'),
    at(5, 'confirmed'),
  ]);
  const { fresh, cured, unchanged, untold } = compareReports(before, after);
  assert.deepEqual(
    [ports(fresh), ports(cured), ports(unchanged), ports(untold)],
    [[5], [2], [1], [3, 4]],
  );
});

test('a saved report is read back, what is none is refused', () => {
  const one = report([finding({})]);
  assert.ok('report' in readReport(jsonText(one)));
  const bad = [
    '',
    '[]',
    '{}',
    '{"schema":"postern-audit/9"}',
    jsonText({ ...one, findings: [{}] }),
    jsonText({
      ...one,
      request: { ...one.request, places: [{ host: 'x', address: 'y', ports: [0] }] },
    }),
  ];
  for (const text of bad) assert.ok('problem' in readReport(text), text.slice(0, 40));
});
