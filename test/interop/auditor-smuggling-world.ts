/** Runs inside a network namespace of its own: which ends of data a real Postfix takes, twice. */

import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '#audit/finding.ts';
import * as limits from '#audit/probes/limits/index.ts';
import * as parsing from '#audit/probes/parsing/index.ts';
import type { Probe } from '#audit/probe.ts';
import * as smuggling from '#audit/probes/smuggling/index.ts';
import { auditPorts } from '../world/audit.ts';
import { check, enter, withPostfix } from './namespace.ts';

const DOMAIN = 'postfix.test';
const ROUNDS = 3;
/** Of the 72 sequences of the usual prefixes and suffixes: what Postfix 3.7 takes for the end of data. */
const LENIENT = ['CRLF', 'CRCRLF', 'NUL+CRLF'].flatMap((prefix) =>
  ['LF', 'CRCRLF', 'LFCR'].map((suffix) => `${prefix}.${suffix}`),
);
const EXPLOITABLE = ['LF', 'CRLF+LF'].flatMap((prefix) =>
  ['CRLF', 'LF', 'CRCRLF', 'LFCR'].map((suffix) => `${prefix}.${suffix}`),
);

/** Found on a stock Postfix, and mended by a setting that the check names. */
const MENDABLE = [
  'parsing.bare-lf-command',
  'parsing.no-brackets',
  'parsing.address-control',
  'parsing.helo-control',
  'parsing.nul-content',
  'parsing.unauthorised-pipelining',
];

const folder = await enter('smuggling');
try {
  await profile(1, '', async (address) => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { findings, ms } = await audited(address);
      const lf = findings.get('smuggling.bare-lf');
      const right = sequences(lf).join() === EXPLOITABLE.toSorted().join();
      check(`stock, round ${round}: the 8 exploitable sequences`, right, lf);
      check('stock: they are confirmed and high', graveOf(lf) === 'confirmed high', graveOf(lf));
      const lenient = findings.get('smuggling.lenient-end');
      const nine = sequences(lenient).join() === LENIENT.toSorted().join();
      check(`stock, round ${round}: the 9 that nobody can produce`, nine, lenient);
      const others = ['bare-cr', 'nul', 'line-break', 'end-of-stream'].map(
        (name) => `${name} ${findings.get(`smuggling.${name}`)?.confidence}`,
      );
      const none = others.every((one) => one.endsWith(' not-observed'));
      check('stock: none of the other families', none, others);
      check('stock: under 60 s', ms < 60_000, ms);
      process.stdout.write(
        `product of 126 in ${JSON.stringify(lf?.details['passes'])}: ${ms} ms\n`,
      );
    }
  });
  await profile(3, '', async (address) => {
    const { findings } = await audited(address, [parsing, limits]);
    const missing = MENDABLE.filter((id) => findings.get(id)?.confidence !== 'confirmed');
    check('stock: what a setting mends is found', missing.length === 0, missing);
  });
  writeFileSync(path.join(folder, 'filter'), '/[[:cntrl:]]/ XINVALID\n');
  const mended = `smtpd_forbid_bare_newline = reject
smtpd_forbid_unauth_pipelining = yes
strict_rfc821_envelopes = yes
message_reject_characters = \\0
smtpd_command_filter = regexp:${folder}/filter`;
  await profile(4, mended, async (address) => {
    const { findings } = await audited(address, [parsing, limits]);
    const left = MENDABLE.filter((id) => findings.get(id)?.confidence !== 'not-observed');
    check('mended: by the settings that the checks name', left.length === 0, left);
  });
  const cured = 'smtpd_forbid_bare_newline = yes\nsmtpd_forbid_unauth_pipelining = yes';
  await profile(2, cured, async (address) => {
    const { findings, ms } = await audited(address);
    const left = [...findings.values()].filter(
      ({ id, confidence }) => id.startsWith('smuggling.') && confidence !== 'not-observed',
    );
    check(
      'cured: no sequence is left',
      left.length === 0,
      left.map(({ id, seen }) => [id, seen]),
    );
    process.stdout.write(`cured: ${ms} ms\n`);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function audited(
  address: string,
  groups: readonly Readonly<Record<string, Probe>>[] = [smuggling, parsing, limits],
) {
  const startMs = performance.now();
  const probes = groups.flatMap((group) => Object.values(group));
  const { findings } = await auditPorts(
    [25],
    probes.filter(({ level }) => level !== 'intrusive'),
    {
      level: 'active',
      domains: [DOMAIN],
      address,
      options: { source: '127.66.0.1' },
    },
  );
  const ms = Math.round(performance.now() - startMs);
  return { findings: new Map(findings.map((one) => [one.id, one])), ms };
}

function sequences(finding: Finding | undefined): string[] {
  const { executed = [], ended = [] } = finding?.details ?? {};
  const all = [executed, ended].flatMap((list) => (Array.isArray(list) ? list : []));
  // The others' product has no such prefix; Postfix drops the NUL and sees a bare LF.
  const names = all.map(String).filter((name) => !name.startsWith('CR+NUL+LF.'));
  return [...new Set(names)].toSorted();
}

function graveOf(finding: Finding | undefined): string {
  return `${finding?.confidence} ${finding?.severity}`;
}

function profile(
  number: number,
  settings: string,
  task: (address: string) => Promise<void>,
): Promise<void> {
  const address = `127.78.0.${number}`;
  return withPostfix({ folder, address, domain: DOMAIN, users: ['postmaster'], settings }, task);
}
