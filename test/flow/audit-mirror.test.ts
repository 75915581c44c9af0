/** The mirror: each cure of our server left out in turn, and the auditor finds exactly that. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { compareSeverity, type Level } from '#audit/check.ts';
import { type Finding, isFound } from '#audit/finding.ts';
import { readConfiguration } from '#command/configuration/read.ts';
import type { Settings } from '#command/configuration/settings.ts';
import { attack } from '#command/rehearsal/attack.ts';
import { openStage } from '#command/rehearsal/stage.ts';
import type { HostParts } from '#command/serve/host.ts';
import { LISTENER_NAMES, type ListenerName } from '#command/serve/listeners.ts';
import { testCertificate } from '../world/certificates.ts';
import { type WithoutCure, WITHOUT } from '../world/cures.ts';
import { noteShown } from '../world/shown.ts';
import { tapped } from '../world/tap.ts';

const HOST = 'mx.whole.test';
const TOTAL_MS = 60_000;
/** LMTP is for neighbours, not for strangers. */
const ALL = LISTENER_NAMES.filter((name) => name !== 'lmtp');

suite('the auditor against ourselves', () => {
  let folder: string;
  let count = 0;
  let always: readonly Finding[];

  /** What is found on these listeners. */
  async function found(
    at: readonly ListenerName[],
    level: Level,
    row?: WithoutCure,
  ): Promise<readonly Finding[]> {
    count += 1;
    const own = path.join(folder, String(count));
    const settings = { ...settingsWith(at), ...row?.settings, ...certificateOf(row, own) };
    const places = { folder: own, certificates: path.join(folder, 'tls') };
    const listener = row?.listener;
    const tap = row?.tap;
    const stage = await openStage(settings, places, {
      parts: (parts): HostParts => {
        if (listener === undefined) return parts;
        return { ...parts, exchangeListener: (usual) => listener(usual, parts) };
      },
      network: (network) => (tap === undefined ? network : tapped(network, at, tap)),
    });
    // A clock that is asked for nothing else would let the process end.
    const awake = setInterval(() => undefined, 1_000);
    try {
      const { findings } = await attack(stage, HOST, level, TOTAL_MS);
      noteShown(findings);
      return findings.filter(isFound);
    } finally {
      clearInterval(awake);
      await stage.close();
    }
  }

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-mirror-'));
    always = await found(ALL, 'active');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test('with every cure nothing of medium or more is found, at level active neither', () => {
    assert.deepEqual(always.filter((one) => isAtLeast(one, 'medium')).map(shown), []);
  });

  for (const row of WITHOUT) {
    test(`without this cure exactly that is found: ${row.name}`, async () => {
      const findings = await found(row.at, row.level ?? 'safe', row);
      const ids = [...new Set(findings.map(({ id }) => id))];
      const missing = row.finds.filter((one) => !ids.some((id) => matches(one, id)));
      assert.deepEqual(missing, [], `found: ${ids.join(', ')}`);
      const expected = [...row.finds, ...(row.also ?? [])];
      const others = findings.filter(
        (one) =>
          !expected.some((word) => matches(word, one.id)) &&
          (isAtLeast(one, 'medium') ||
            (isAtLeast(one, 'low') && !always.some(({ id }) => id === one.id))),
      );
      assert.deepEqual(others.map(shown), []);
    });
  }
});

function isAtLeast({ severity }: Finding, least: 'low' | 'medium'): boolean {
  return compareSeverity(severity, least) >= 0;
}

function matches(word: string | RegExp, id: string): boolean {
  return typeof word === 'string' ? word === id : word.test(id);
}

function shown({ id, severity, seen }: Finding): string {
  return `${severity} ${id}: ${seen}`;
}

function settingsWith(at: readonly ListenerName[]): Settings {
  // LMTP on an address that is not loopback is what strangers could reach.
  const place = (name: ListenerName): string =>
    at.includes(name) ? `["${name === 'lmtp' ? '192.0.2.1' : '127.0.0.1'}:0"]` : '[]';
  const lines = LISTENER_NAMES.map((name) => `${name}_listen = ${place(name)}`);
  const toml = `myhostname = "${HOST}"\nmynetworks = []\n${lines.join('\n')}\n`;
  const facts = { hostname: HOST, stateDirectory: '/nowhere', gateways: [] };
  const result = readConfiguration(toml, facts);
  if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

function certificateOf(row: WithoutCure | undefined, folder: string): Partial<Settings> {
  if (row?.certificate === undefined) return {};
  const { certificate, key } = testCertificate(row.certificate);
  const [certificateFile, keyFile] = [`${folder}-cert.pem`, `${folder}-key.pem`];
  writeFileSync(certificateFile, certificate);
  writeFileSync(keyFile, key);
  return { smtpd_tls_cert_file: certificateFile, smtpd_tls_key_file: keyFile };
}
