/** The laws of the auditor's cures: each line is configuration or a sentence; ours are read by us. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PRODUCTS, type Product } from '#audit/check.ts';
import { readCure } from '#audit/cure.ts';
import { restrictions } from '#command/configuration/contradictions.ts';
import { readConfiguration } from '#command/configuration/read.ts';
import * as commands from '#command/commands/index.ts';
import { parseAccessTable, parseTableName } from '#policy/access/parse.ts';
import type { AccessTable } from '#policy/access/table.ts';
import { knownCures } from '../lab/cures/known.ts';
import { mend } from '../lab/cures/mend.ts';
import { PLAIN } from '../lab/cures/plain.ts';

const FACTS = { hostname: 'mx.example.org', stateDirectory: '/var/lib/postern', gateways: [] };
const BROKEN = ['message_size_limt = "50M"', 'smtpd_recipient_limit = "many"', 'mynetworks ='];

/** How a line of the main file looks; a cure in other words is a sentence. */
const SHAPES: Readonly<Record<Exclude<Product, 'dns'>, RegExp>> = {
  postfix: /^(?:[a-z][a-z0-9_]* =(?: \S.*)?| +\S.*)$/,
  exim: /^(?:(?:hostlist|domainlist) )?[a-z][a-z0-9_]* =(?: \S.*)?$/,
  opensmtpd: /^(?:listen on|match|action|pki|table|filter|smtp|srs|ca|queue) \S.*$/,
  sendmail: /^(?:(?:define|FEATURE|[A-Z_]+)\(.*\)dnl|O [A-Z]\w+=\S.*)$/,
  dovecot: /^ *(?:[a-z][a-z0-9_]* =(?: \S.*)?|[a-z][a-z_-]*(?: [a-z-]+)? \{|\})$/,
  postern: /^[a-z][a-z0-9_]* = \S.*$/,
};

suite('cures', () => {
  test('each line of a cure is configuration of its product, the name of a place, or a sentence', () => {
    const wrong = PRODUCTS.flatMap((product) =>
      knownCures(product).flatMap(({ lines, checks }) =>
        oddLines(product, lines).map((line) => `${checks[0]}, ${product}: ${line}`),
      ),
    );
    assert.deepEqual(wrong, []);
    // As they stood there once.
    assert.deepEqual(oddLines('postfix', ['smtpd_milters = OpenDKIM (with RequiredHeaders yes)']), [
      'smtpd_milters = OpenDKIM (with RequiredHeaders yes)',
    ]);
    assert.equal(oddLines('postfix', ['(or dane, with a validating resolver)']).length, 1);
    assert.equal(oddLines('exim', ['require verify = recipient']).length, 1);
    assert.equal(oddLines('dovecot', ['service lmtp { inet_listener lmtp { } }']).length, 1);
  });

  test('each place that a cure names is one that the servers of the lab have', () => {
    for (const [product, plan] of Object.entries(PLAIN)) {
      for (const cure of knownCures(product as Product))
        assert.doesNotThrow(() => mend(plan, cure));
    }
    const lines = ['# /etc/nobody knows:', '# somewhere else:', 'a = b'];
    assert.throws(() => mend(PLAIN['exim']!, { product: 'exim', lines }), /nobody knows/);
  });

  test('each cure of Postern is read by its own configuration and commands', () => {
    const cures = knownCures('postern').filter((cure) => readCure(cure).parts.length > 0);
    assert.ok(cures.length > 10);
    for (const { lines, checks } of cures) {
      assert.deepEqual(posternProblems(lines), [], `${checks.join(', ')}: ${lines.join('; ')}`);
    }
    for (const line of BROKEN) assert.notDeepEqual(posternProblems([line]), [], line);
    const table = ['smtpd_helo_restrictions = ["check_helo_access inline:{{a.test=REJECT}}"]'];
    assert.notDeepEqual(posternProblems(table), []);
    assert.notDeepEqual(posternProblems(['# then run:', 'postern alas add a@b.test c@d.test']), []);
  });
});

function oddLines(product: Product, lines: readonly string[]): string[] {
  if (product === 'dns') return [];
  const { parts } = readCure({ lines });
  const main = parts.filter(({ place }) => place === '').flatMap((part) => part.lines);
  return main.filter((line) => !SHAPES[product].test(line) || / \([^)]* [^)]*\)$/.test(line));
}

/** What our own readers say against the lines, each in its place. */
function posternProblems(lines: readonly string[]): readonly string[] {
  const { parts } = readCure({ lines });
  const files = new Map(parts.map(({ place, lines: own }) => [place, own]));
  const read = readConfiguration(files.get('')?.join('\n') ?? '', FACTS);
  const said = (files.get('then run') ?? []).filter((line) => !isCommand(line));
  if (read.kind === 'bad') return [...said, ...read.problems.map(({ cause }) => cause)];
  const table = (name: string): (() => AccessTable) | string => tableOf(name, files);
  return [...said, ...restrictions(read.settings, { table }).map(({ cause }) => cause)];
}

function isCommand(line: string): boolean {
  const [program, name, task] = line.split(' ');
  const known = Object.values(commands).find((one) => one.name === name);
  return program === 'postern' && (known?.commands ?? []).some((one) => one.name === task);
}

function tableOf(
  name: string,
  files: ReadonlyMap<string, readonly string[]>,
): (() => AccessTable) | string {
  const parsed = parseTableName(name);
  if (typeof parsed === 'string') return parsed;
  const rows = files.get(parsed.path);
  if (rows === undefined) return 'cannot be read';
  const read = parseAccessTable(rows.join('\n'), parsed.kind);
  return read.kind === 'table' ? () => read.table : (read.errors[0]?.why ?? 'is broken');
}
