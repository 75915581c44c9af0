/** Trace fields of submissions as the canary sees them: each leak planted, and a server that tells nothing. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Secret } from '#base/secret.ts';
import { auditPorts } from '#test/world/audit.ts';
import { startLaxSmtp } from '#test/world/lax-smtp.ts';
import type { Finding } from '../../finding.ts';
import type { CanaryMessage } from '../../probe.ts';
import { trace } from './index.ts';

interface Client {
  readonly hello: string;
  readonly mail: string;
}

interface Planted {
  /** Header fields that the server puts on top, each with its CRLF. */
  readonly adds: (client: Client) => string;
  readonly keywords?: readonly string[];
  /** Names in EHLO that are refused. */
  readonly refuses?: RegExp;
}

const DATE = 'Sun, 22 Nov 2026 10:00:00 +0000';
const KEYWORDS = ['AUTH PLAIN', 'DSN'];

async function judged(planted: Planted): Promise<ReadonlyMap<string, Finding>> {
  const messages: CanaryMessage[] = [];
  const arrived = async (token: string): Promise<CanaryMessage | undefined> =>
    messages.find(({ octets }) => Buffer.from(octets).includes(token));
  const endpoint = { address: '127.0.0.1', port: 25 };
  let client: Client = { hello: '', mail: '' };
  const server = await startLaxSmtp({
    hook: (line) => {
      if (line.startsWith('EHLO')) client = { ...client, hello: line.slice(5) };
      if (line.startsWith('MAIL')) client = { ...client, mail: line };
      if (line.startsWith('EHLO') && planted.refuses?.test(line) === true) return '501 5.5.4 no';
      if (line.startsWith('EHLO')) return offered(planted.keywords ?? KEYWORDS);
      if (line.startsWith('MAIL')) return '250 2.1.0 ok';
      if (line.startsWith('AUTH')) return '235 2.7.0 yes';
      return line.startsWith('RCPT') && line.includes('@canary.test') ? '250 2.1.5 ok' : undefined;
    },
    relays: true,
    deliver: (octets) => {
      const whole = Buffer.from(planted.adds(client) + octets, 'latin1');
      messages.push({ from: endpoint, reversePath: '', recipients: [], octets: whole });
    },
  });
  try {
    const account = { login: 'ann', password: new Secret('s3cret-pass') };
    const { findings } = await auditPorts([server.port], [trace], {
      level: 'active',
      domains: ['mock.test'],
      options: { account, canary: { domain: 'canary.test', endpoint, arrived } },
    });
    return new Map(findings.map((finding) => [finding.id, finding]));
  } finally {
    server.close();
  }
}

function offered(keywords: readonly string[]): string {
  return ['250-mock.test', ...keywords.map((word) => `250-${word}`), '250 HELP'].join('\r\n');
}

function told(findings: ReadonlyMap<string, Finding>): string[] {
  return [...findings.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id }) => id)
    .toSorted();
}

/** As a server of users should write it. */
const quiet = (): string => `Received: by mx.mock.test with ESMTPSA id 1; ${DATE}\r\n`;
const STRICT = /[\r\n]/;

const received = (from: string, by = 'by mx.mock.test'): string =>
  `Received: ${from}\r\n\t${by} with ESMTPSA id 1\r\n\tfor <x@canary.test>; ${DATE}\r\n`;

suite('trace fields of submissions', () => {
  test('who tells nothing is not blamed, and every check was tried', async () => {
    const findings = await judged({ adds: quiet, refuses: STRICT });
    assert.deepEqual(told(findings), []);
    for (const { id, confidence, details, seen } of findings.values()) {
      assert.equal(confidence, 'not-observed', `${id}: ${seen}`);
      assert.notEqual(details['applicable'], false, id);
    }
  });

  const PLANTED: readonly (readonly [id: string, adds: Planted['adds']])[] = [
    ['exposure.trace-address', () => received('from [127.0.0.1]')],
    ['exposure.trace-address', () => `X-Originating-IP: [127.0.0.1]\r\n${quiet()}`],
    ['exposure.trace-helo', ({ hello }) => received(`from ${hello}`)],
    ['exposure.trace-login', () => received('(Authenticated sender: ann)')],
    ['fingerprint.trace-version', () => received('', 'by mx.mock.test (Exim 4.96)')],
  ];
  for (const [id, adds] of PLANTED) {
    test(`${id} is found where it is planted`, async () => {
      assert.deepEqual(told(await judged({ adds, refuses: STRICT })), [id]);
    });
  }

  test("the sender's address in the envelope is no login that is told", async () => {
    const line = received('(envelope-from <ann@mock.test>)');
    assert.deepEqual(told(await judged({ adds: () => line, refuses: STRICT })), []);
  });

  test('names in EHLO and parameters that become fields of the header', async () => {
    const byHello = await judged({ adds: ({ hello }) => `${quiet()}X-Helo: ${hello}\r\n` });
    assert.ok(told(byHello).includes('injection.trace-field'));
    const byEnvelopeId = await judged({
      adds: ({ mail }) => {
        const [, id = ''] = /ENVID=(\S+)/.exec(mail) ?? [];
        const plain = id.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        return `${quiet()}X-Envelope-Id: ${plain}\r\n`;
      },
      refuses: STRICT,
    });
    assert.deepEqual(told(byEnvelopeId), ['injection.trace-field']);
    assert.equal(byEnvelopeId.get('injection.trace-field')?.confidence, 'confirmed');
  });

  test('where nobody can log in nothing is tried', async () => {
    const findings = await judged({ adds: quiet, keywords: [] });
    for (const { details } of findings.values()) assert.equal(details['applicable'], false);
    assert.equal(findings.size, 5);
  });
});
