/** Certificates: each thing that can be wrong with one is planted alone, beside a twin that is right. */

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import type { Finding } from '#audit/finding.ts';
import { tlsCertificate, tlsHost } from '#audit/probes/tls/index.ts';
import type { TlsaRecord } from '#base/world.ts';
import {
  auditPorts,
  type MockAudit,
  type MockOptions,
  smtpAnswers,
  startMock,
} from '../world/audit.ts';
import {
  testAuthority,
  testCertificate,
  type TestCertificate,
  type TestCertificateOptions,
} from '../world/certificates.ts';
import { alert, flight, startTlsMock } from '../world/tls-mock.ts';

const root = testAuthority();
const intermediate = testAuthority('Test Intermediate', root);
const HOST = 'mx.example.test';
const DAY_MS = 86_400_000;
const CODE_SIGNING = [43, 6, 1, 5, 5, 7, 3, 3];

type Case = Partial<TestCertificateOptions> & {
  /** PEM sent behind the server's own. */
  readonly sends?: readonly string[];
  readonly selfSigned?: boolean;
};

/** What is said of every certificate of an authority of the house, and of none as `confirmed`. */
const HOUSE = 'tls.certificate-untrusted';

const CASES: Readonly<Record<string, readonly [Case, ...string[]]>> = {
  'nothing wrong': [{}],
  expired: [{ notAfter: new Date(Date.now() - DAY_MS) }, 'tls.certificate-expired'],
  'not yet valid': [{ notBefore: new Date(Date.now() + DAY_MS) }, 'tls.certificate-not-yet-valid'],
  'expires soon': [
    { notBefore: new Date(Date.now() - 80 * DAY_MS), notAfter: new Date(Date.now() + 5 * DAY_MS) },
    'tls.certificate-expires-soon',
  ],
  'valid for years': [
    { notAfter: new Date(Date.now() + 3_000 * DAY_MS) },
    'tls.certificate-lifetime',
  ],
  'RSA of 1024 bits': [{ key: { rsa: 1_024 } }, 'tls.certificate-key-small'],
  'RSA of 2048 bits': [{ key: { rsa: 2_048 } }],
  'exponent 3': [{ key: { rsa: 2_048, exponent: 3 } }, 'tls.certificate-rsa-exponent'],
  'signed with SHA-1': [{ hash: 'sha1' }, 'tls.certificate-weak-signature'],
  'a wildcard': [{ names: ['*.example.test'] }, 'tls.certificate-wildcard'],
  'inside names': [{ names: [HOST, '10.0.0.5'] }, 'tls.certificate-private-names'],
  'no names': [{ names: [] }, 'tls.certificate-without-names', 'tls.certificate-name'],
  'not for servers': [{ uses: [CODE_SIGNING] }, 'tls.certificate-use'],
  'an authority': [{ isAuthority: true }, 'tls.certificate-authority'],
  'signed by itself': [{ selfSigned: true, sends: [] }, 'tls.certificate-self-signed'],
  'another name': [{ names: ['other.example.test'] }, 'tls.certificate-name'],
  'strangers in the chain': [
    { sends: [testCertificate({ names: ['stranger.test'] }).certificate] },
    'tls.certificate-chain-order',
  ],
  'a missing intermediate': [{ sends: [] }, 'tls.certificate-chain-incomplete'],
};

function made({ sends, selfSigned = false, ...rest }: Case): TestCertificate {
  const options = { names: [HOST], ...(selfSigned ? {} : { issuer: intermediate }), ...rest };
  const own = testCertificate(options);
  const chain = sends ?? [intermediate.certificate];
  return { key: own.key, certificate: [own.certificate, ...chain].join('') };
}

const imap: Pick<MockOptions, 'greeting' | 'answer' | 'implicit' | 'context'> = {
  greeting: '* OK ready\r\n',
  answer: (line) => `* CAPABILITY IMAP4rev1\r\n${line.split(' ', 1)[0]} OK done\r\n`,
  implicit: true,
  context: { ciphers: 'ECDHE+AESGCM:@SECLEVEL=0' },
};

async function audited(tls: TestCertificate, options: MockAudit = {}): Promise<readonly Finding[]> {
  const server = await startMock({ ...imap, tls });
  try {
    return (await auditPorts([server.port], [tlsCertificate], { host: HOST, ...options })).findings;
  } finally {
    await server.close();
  }
}

function foundIn(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(
    ({ id, confidence }) =>
      id.startsWith('tls.') &&
      id !== HOUSE &&
      (confidence === 'confirmed' || confidence === 'likely'),
  );
}

const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id).toSorted();

const byId = (findings: readonly Finding[], id: string): Finding | undefined =>
  findings.find((finding) => finding.id === id);

const smtp = (line: string) => (line.startsWith('EHLO') ? '250-x\r\n250 SIZE\r\n' : '250 ok\r\n');

const der = (pem: TestCertificate) => new X509Certificate(pem.certificate).raw;

const receiving = (line: string) => {
  if (line.startsWith('EHLO')) return '250-x\r\n250 STARTTLS\r\n';
  return line === 'STARTTLS' ? '220 go\r\n' : '250 ok\r\n';
};

suite('certificates', () => {
  for (const [name, [one, ...ids]] of Object.entries(CASES)) {
    test(`${name}: found, and nothing else, three times`, async () => {
      const identity = made(one);
      for (let round = 0; round < 3; round += 1) {
        const findings = await audited(identity);
        assert.deepEqual(idsOf(foundIn(findings)), ids.toSorted());
        const unclear = findings.filter(
          ({ id, confidence }) => id.startsWith('tls.') && confidence === 'inconclusive',
        );
        assert.deepEqual(idsOf(unclear), []);
      }
    });
  }

  test('an unknown authority is mild on networks of our own, a certificate of its own is not', async () => {
    const house = byId(await audited(made({})), HOUSE);
    assert.deepEqual([house?.confidence, house?.severity], ['confirmed', 'low']);
    const alone = await audited(made({ selfSigned: true, sends: [] }));
    assert.equal(byId(alone, HOUSE)?.confidence, 'not-observed');
    assert.equal(byId(alone, 'tls.certificate-self-signed')?.severity, 'high');
  });

  test('at an address the certificate is held against what the server calls itself', async () => {
    const greeting = `220 ${HOST} ESMTP\r\n`;
    const seen = async (tls: TestCertificate) => {
      const server = await startMock({ greeting, answer: smtp, implicit: true, tls });
      const { findings } = await auditPorts([server.port], [tlsCertificate]);
      await server.close();
      return byId(findings, 'tls.certificate-name')?.confidence;
    };
    assert.equal(await seen(made({})), 'not-observed');
    assert.equal(await seen(made({ names: ['127.0.0.1'] })), 'not-observed');
    assert.equal(await seen(made({ names: ['other.example.test'] })), 'likely');
  });

  test('tls.certificate-needs-sni: another certificate, or none, without a name', async () => {
    const [named, other] = [der(made({})), der(made({ names: ['other.example.test'] }))];
    const seen = async (bare: Buffer | undefined) => {
      const server = await startTlsMock((hello) => {
        if (hello.version !== 0x0303) return alert(70);
        const certificate = hello.extensions.has(0) ? named : bare;
        if (certificate === undefined) return alert(112);
        return flight({ version: 0x0303, suite: 0xc02c, certificates: [certificate] });
      });
      const { findings } = await auditPorts([server.port], [tlsCertificate], { host: HOST });
      await server.close();
      return byId(findings, 'tls.certificate-needs-sni')?.confidence;
    };
    assert.equal(await seen(other), 'confirmed');
    assert.equal(await seen(undefined), 'confirmed');
    assert.equal(await seen(named), 'not-observed');
  });
});

suite('certificates of a host side by side', () => {
  const differ = 'tls.certificates-differ';
  const reused = 'tls.key-reused';

  const pair = async (one: TestCertificate, two: TestCertificate) => {
    const servers = [
      await startMock({ ...imap, tls: one }),
      await startMock({ ...imap, tls: two }),
    ];
    const ports = servers.map(({ port }) => port);
    const { findings } = await auditPorts(ports, [tlsHost], { host: HOST });
    for (const server of servers) await server.close();
    return [differ, reused].map((id) => byId(findings, id)?.confidence);
  };

  test('one certificate, two, and two with one key are told apart', async () => {
    const one = made({});
    const renewed = made({ key: { pem: one.key } });
    assert.deepEqual(await pair(one, one), ['not-observed', 'not-observed']);
    assert.deepEqual(await pair(one, made({})), ['confirmed', 'not-observed']);
    assert.deepEqual(await pair(one, renewed), ['confirmed', 'confirmed']);
  });

  test('a service whose STARTTLS fails takes nothing from the others', async () => {
    const refusing = smtpAnswers(['STARTTLS'], (line) =>
      line === 'STARTTLS' ? '454 4.7.0 no key\r\n' : undefined,
    );
    const tls = made({});
    const servers = [
      await startMock({ greeting: '220 mock.test ESMTP\r\n', answer: refusing }),
      await startMock({ ...imap, tls }),
      await startMock({ ...imap, tls: made({}) }),
    ];
    const ports = servers.map(({ port }) => port);
    const bare = await auditPorts(ports, [tlsHost], { host: HOST });
    const data = Buffer.alloc(32);
    const records: readonly TlsaRecord[] = [{ usage: 3, selector: 1, matching: 1, data }];
    const tlsa = () =>
      Promise.resolve({ kind: 'found', records, ttlSeconds: 60, authentic: true } as const);
    const dane = await auditPorts(ports, [tlsHost], { host: HOST, resolver: { tlsa } });
    for (const server of servers) await server.close();
    assert.equal(byId(bare.findings, differ)?.confidence, 'confirmed');
    assert.equal(byId(bare.findings, 'tls.dane-mismatch')?.confidence, 'not-observed');
    assert.equal(byId(dane.findings, 'tls.dane-mismatch')?.confidence, 'inconclusive');
  });

  test('tls.dane-mismatch: records that name another key are found, matching ones are not', async () => {
    const tls = made({});
    const spki = new X509Certificate(tls.certificate).publicKey.export({
      type: 'spki',
      format: 'der',
    });
    const right = createHash('sha256').update(spki).digest();
    const seen = async (data: Uint8Array, authentic: boolean) => {
      const greeting = `220 ${HOST} ESMTP\r\n`;
      const server = await startMock({ greeting, answer: receiving, tls });
      const records: readonly TlsaRecord[] = [{ usage: 3, selector: 1, matching: 1, data }];
      const tlsa = () =>
        Promise.resolve({ kind: 'found', records, ttlSeconds: 60, authentic } as const);
      const { findings } = await auditPorts([server.port], [tlsHost], {
        host: HOST,
        resolver: { tlsa },
      });
      await server.close();
      const finding = byId(findings, 'tls.dane-mismatch');
      return `${finding?.confidence} ${finding?.severity}`;
    };
    assert.equal(await seen(right, true), 'not-observed high');
    assert.equal(await seen(Buffer.alloc(32), true), 'confirmed high');
    assert.equal(await seen(Buffer.alloc(32), false), 'confirmed low');
  });
});
