/** Runs inside a network namespace of its own: Postfix and Dovecot with old TLS and bad certificates. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '#audit/finding.ts';
import * as injection from '#audit/probes/injection/index.ts';
import * as tls from '#audit/probes/tls/index.ts';
import { auditPorts } from '../world/audit.ts';
import { testAuthority, testCertificate, type TestCertificate } from '../world/certificates.ts';
import { startDovecot } from './dovecot.ts';
import { check, enter, own, withPostfix } from './namespace.ts';

const PROBES = [...Object.values(tls), ...Object.values(injection)];
const OLD = ['tls.tls10', 'tls.tls11'];
const BAD = ['tls.certificate-key-small', 'tls.certificate-weak-signature'];

const folder = await enter('auditor-tls');
const issuer = testAuthority();
const key = { rsa: 2_048 };
const good = testCertificate({ names: ['mx.virtual.test'], issuer, key });
const bad = testCertificate({
  names: ['other.test'],
  issuer,
  key: { rsa: 1_024 },
  hash: 'sha1',
});
// Timers of the clock alone keep no process up, and a server may leave us nothing else.
const awake = setInterval(() => undefined, 1_000);
try {
  await postfix(1, bad, `smtpd_tls_protocols = >=TLSv1\n${anyCipher()}`, (found) => {
    check('postfix: TLS 1.0 and 1.1 are found', hasAll(found, OLD), found);
    check('postfix: the bad certificate is found', hasAll(found, BAD), found);
    check('postfix: anonymous ciphers are found', hasAll(found, ['tls.anonymous-cipher']), found);
    const mild = found.every(({ severity }) => severity === 'info' || severity === 'low');
    check('postfix: on port 25 all of it is mild', mild, found);
  });
  await postfix(2, good, 'smtpd_tls_protocols = >=TLSv1.2', (found) => {
    check('postfix cured: none of it is found', hasNone(found, [...OLD, ...BAD]), found);
  });
  const old = 'ssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0';
  await withDovecot(3, bad, old, (found) => {
    check('dovecot: TLS 1.0 and 1.1 are found', hasAll(found, OLD), found);
    check('dovecot: the bad certificate is found', hasAll(found, BAD), found);
    const grave = found.some(({ id, severity }) => id === 'tls.tls10' && severity === 'high');
    check('dovecot: where users log in it is grave', grave, found);
  });
  await withDovecot(4, good, 'ssl_min_protocol = TLSv1.2', (found) => {
    check('dovecot cured: none of it is found', hasNone(found, [...OLD, ...BAD]), found);
  });
} finally {
  clearInterval(awake);
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

type Judge = (found: readonly Finding[]) => void;

function anyCipher(): string {
  return 'smtpd_tls_ciphers = medium\ntls_medium_cipherlist = ALL:aNULL:@SECLEVEL=0';
}

async function postfix(
  number: number,
  certificate: TestCertificate,
  settings: string,
  judge: Judge,
): Promise<void> {
  const place = path.join(folder, `c${number}`);
  mkdirSync(place);
  writeFileSync(`${place}/cert.pem`, certificate.certificate);
  writeFileSync(`${place}/key.pem`, certificate.key);
  const files = `smtpd_tls_cert_file = ${place}/cert.pem\nsmtpd_tls_key_file = ${place}/key.pem`;
  const address = `127.77.1.${number}`;
  const profile = { folder, address, domain: 'postfix.test', users: ['postmaster'] };
  await withPostfix({ ...profile, settings: `${files}\n${settings}` }, async () =>
    judge(await audited(`postfix ${number}`, address, [25])),
  );
}

async function withDovecot(
  number: number,
  certificate: TestCertificate,
  settings: string,
  judge: Judge,
): Promise<void> {
  const address = await own(`127.77.1.${number}`);
  const place = path.join(folder, `d${number}`);
  const dovecot = await startDovecot({ folder: place, address, tls: certificate, settings });
  try {
    judge(await audited(`dovecot ${number}`, address, [143, 993]));
  } finally {
    await dovecot.stop();
  }
}

/** What is found; three runs must say the same, injection must not be found anywhere. */
async function audited(
  name: string,
  address: string,
  ports: readonly number[],
): Promise<readonly Finding[]> {
  const runs: string[] = [];
  let found: readonly Finding[] = [];
  for (let round = 0; round < 3; round += 1) {
    const started = performance.now();
    const { findings } = await auditPorts(ports, PROBES, { address });
    const own = findings.filter(({ id }) => /^(?:tls|injection)\./.test(id));
    runs.push(own.map(({ id, target, confidence }) => `${target.port} ${id} ${confidence}`).join());
    found = own.filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely');
    const unclear = own.filter(({ confidence }) => confidence === 'inconclusive');
    if (round === 0) check(`${name}: nothing is unclear`, unclear.length === 0, unclear);
    process.stdout.write(`${name}: ${Math.round(performance.now() - started)} ms\n`);
  }
  check(`${name}: three runs say the same`, new Set(runs).size === 1, runs);
  const injected = found.filter(({ id }) => id.startsWith('injection.'));
  const grave = injected.filter(({ severity }) => severity !== 'info');
  check(`${name}: no injection at STARTTLS`, grave.length === 0, grave);
  return found;
}

function hasAll(found: readonly Finding[], ids: readonly string[]): boolean {
  return ids.every((id) => found.some((finding) => finding.id === id));
}

function hasNone(found: readonly Finding[], ids: readonly string[]): boolean {
  return !found.some(({ id }) => ids.includes(id));
}
