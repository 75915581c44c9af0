/** Each relay form planted alone in a server that is careful otherwise: exactly that one is found. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '#base/secret.ts';
import { testCertificate } from '../world/certificates.ts';
import { auditMock, type MockSession, smtpAnswers } from '../world/audit.ts';
import type { Finding } from '#audit/finding.ts';
import type { Attempt } from '#audit/relay/forms.ts';
import { FORMS } from '#audit/relay/survey.ts';
import { openRelay } from '#audit/probes/relay/open-relay.ts';

/** Every check of the probe; those of forms are planted one by one below. */
const CHECKS = [
  'relay.n1',
  'relay.n2',
  'relay.n3',
  'relay.n4',
  'relay.n5',
  'relay.n6',
  'relay.n7',
  'relay.n8',
  'relay.n9',
  'relay.n10',
  'relay.n11',
  'relay.n12',
  'relay.n13',
  'relay.n14',
  'relay.n15',
  'relay.n16',
  'relay.r17',
  'relay.r18',
  'relay.r19',
  'relay.r20',
  'relay.r21',
  'relay.r22',
  'relay.r23',
  'relay.r24',
  'relay.r25',
  'relay.r26',
  'relay.r27',
  'relay.r28',
  'relay.r28f',
  'relay.r28p',
  'relay.r29',
  'relay.r30',
  'relay.r31',
  'relay.r32',
  'relay.r36',
  'relay.stranger-trusted',
  'relay.backscatter',
  'relay.autoreply',
  'relay.etrn',
];

const PLACE = {
  token: 'TOKEN',
  foreign: 'FOREIGN.invalid',
  other: 'OTHER.invalid',
  address: '127.0.0.1',
  server: 'mock.test',
  domains: ['own.test', 'two.test'],
  user: undefined,
  helo: 'audit.invalid',
};
const KEYWORDS = ['PIPELINING', 'SMTPUTF8', 'CHUNKING', 'AUTH PLAIN ANONYMOUS'];

type Hook = (line: string, session: MockSession) => string | undefined;

async function audited(more: Hook): Promise<ReadonlyMap<string, Finding>> {
  const mock = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(KEYWORDS, more) };
  return auditMock(mock, [openRelay], { level: 'active', domains: PLACE.domains });
}

function told(findings: ReadonlyMap<string, Finding>): string[] {
  return [...findings.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id }) => id)
    .toSorted();
}

/** A pattern of MAIL and RCPT lines in which random names are any, but the same where they were. */
function patternOf({ mail, rcpt }: Attempt): RegExp {
  const seen = new Set<string>();
  const source = `${mail} ${rcpt.at(-1)}`
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/TOKEN|FOREIGN|OTHER/g, (name) => {
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return `(?<${name}>[a-z0-9]+)`;
    });
  return new RegExp(`^${source}$`);
}

/** Accepts exactly what this form asks for, and gives the trust that it asks for before. */
function planted(attempts: readonly Attempt[]): Hook {
  const places = attempts.filter((attempt) => !attempt.variant.startsWith('v2'));
  const patterns = places.map((attempt) => [attempt, patternOf(attempt)] as const);
  return (line, { lines }) => {
    for (const [{ before, prologue, helo }, pattern] of patterns) {
      const step = before?.find((one) => one.line === line && one.must !== undefined);
      if (step !== undefined && !line.startsWith('EHLO')) return `${step.must} mock.test yes\r\n`;
      const said = Buffer.from(prologue ?? [])
        .toString('latin1')
        .trim();
      if (prologue !== undefined && line === said) return '';
      if (!line.startsWith('RCPT TO:')) continue;
      const mail = lines.findLast((one) => one.startsWith('MAIL FROM:')) ?? '';
      const asked = `${mail.slice('MAIL FROM:'.length)} ${line.slice('RCPT TO:'.length)}`;
      const hello = helo === undefined || lines.includes(`EHLO ${helo}`);
      const trusted = (before ?? []).every((one) => lines.includes(one.line));
      const proxied = prologue === undefined || lines.includes(said);
      if (pattern.test(asked) && hello && trusted && proxied) return '250 2.1.5 ok\r\n';
    }
    return undefined;
  };
}

/** Whoever named somebody who is there may name anybody afterwards. */
function behindLocal(line: string, { lines }: MockSession): string | undefined {
  if (line === 'RCPT TO:<postmaster@own.test>') return '250 2.1.5 ok\r\n';
  const isBehind = lines.includes('RCPT TO:<postmaster@own.test>');
  return isBehind && line.startsWith('RCPT TO:') ? '250 2.1.5 ok\r\n' : undefined;
}

/** Takes every message, for whomever it is. */
function takesAll(line: string, { lines }: MockSession): string | undefined {
  if (line.startsWith('RCPT TO:')) return '250 2.1.5 ok\r\n';
  if (line === 'DATA') return '354 go on\r\n';
  if (line === '.') return '250 2.0.0 queued\r\n';
  const isContent = lines.includes('DATA') && !/^(?:QUIT|RSET)/.test(line);
  return isContent ? '' : undefined;
}

describe('open relay', () => {
  it('declares a check for each form', () => {
    assert.deepEqual(openRelay.checks.map(({ id }) => id).toSorted(), CHECKS.toSorted());
  });

  it('a careful server shows nothing', async () => {
    const findings = await audited(() => undefined);
    assert.deepEqual(told(findings), []);
    assert.equal(findings.get('relay.n1')?.confidence, 'not-observed');
  });

  for (const form of FORMS) {
    // BDAT is a way of sending: a server that accepts the plain form shows more than R31.
    if (form.id === 'R31') continue;
    it(`${form.id} alone: ${form.title}`, async () => {
      const findings = await audited(
        form.id === 'R29' ? behindLocal : planted(form.attempts(PLACE)),
      );
      const trust = form.id.startsWith('R28') ? ['relay.stranger-trusted'] : [];
      assert.deepEqual(told(findings), [`relay.${form.id.toLowerCase()}`, ...trust].toSorted());
    });
  }

  it('R31: the plain form, sent by BDAT', async () => {
    const findings = await audited((line) => {
      if (/^RCPT TO:<[a-z0-9]+@[a-z0-9]+\.invalid>$/.test(line)) return '250 2.1.5 ok\r\n';
      return line.startsWith('BDAT') ? '250 2.0.0 queued\r\n' : undefined;
    });
    assert.equal(findings.get('relay.r31')?.confidence, 'confirmed');
    assert.equal(findings.get('relay.n1')?.confidence, 'likely', 'DATA was refused there');
  });

  it('R32: a login that writes in the name of another, and its twin that may not', async () => {
    const right = `AUTH PLAIN ${Buffer.from('\0ann\0s3cret-pass').toString('base64')}`;
    for (const mayLie of [true, false]) {
      const { certificate, key } = testCertificate({ names: ['mock.test'] });
      const answer = smtpAnswers([...KEYWORDS, 'STARTTLS'], (line, { lines }) => {
        if (line === right) return '235 2.7.0 yes\r\n';
        const isIn = lines.includes(right);
        if (line.startsWith('MAIL') && isIn && !mayLie) return '553 5.7.1 not yours\r\n';
        return line.startsWith('RCPT') && isIn ? '250 2.1.5 ok\r\n' : undefined;
      });
      const account = { login: 'ann', password: new Secret('s3cret-pass') };
      const mock = { greeting: '220 mock.test ESMTP\r\n', answer, tls: { certificate, key } };
      const options = { domains: ['own.test'], options: { account } };
      const findings = await auditMock(mock, [openRelay], options);
      assert.deepEqual(told(findings), mayLie ? ['relay.r32'] : []);
      assert.equal(findings.get('relay.r32')?.confidence, mayLie ? 'confirmed' : 'not-observed');
      const shown = JSON.stringify([...findings.values()]);
      assert.ok(!shown.includes(Buffer.from('\0ann\0s3cret-pass').toString('base64')));
    }
  });

  it('R32: where nobody can log in, or only in clear, there is nothing to try', async () => {
    const { certificate, key } = testCertificate({ names: ['mock.test'] });
    const account = { login: 'ann', password: new Secret('s3cret-pass') };
    for (const [keywords, why] of [
      [['PIPELINING'], /a password is not sent without TLS/],
      [['AUTH PLAIN'], /a password is not sent without TLS/],
      [['PIPELINING', 'STARTTLS'], /AUTH is not offered/],
    ] as const) {
      const answer = smtpAnswers(keywords);
      const mock = { greeting: '220 mock.test ESMTP\r\n', answer, tls: { certificate, key } };
      const options = { domains: ['own.test'], options: { account } };
      const finding = (await auditMock(mock, [openRelay], options)).get('relay.r32');
      assert.equal(finding?.details['applicable'], false, finding?.seen ?? '');
      assert.match(finding.seen, why);
    }
  });

  it('ETRN for a domain that is not its own', async () => {
    const findings = await audited((line) =>
      line.startsWith('ETRN') ? '250 2.0.0 queuing started\r\n' : undefined,
    );
    assert.deepEqual(told(findings), ['relay.etrn']);
  });

  it('a server that agrees to everything has not agreed to ETRN or PROXY', async () => {
    const findings = await audited((line) =>
      /^(?:EHLO|QUIT|DATA|MAIL|RCPT)/.test(line) ? undefined : '250 OK\r\n',
    );
    assert.equal(findings.get('relay.etrn')?.confidence, 'inconclusive');
    assert.equal(findings.get('relay.stranger-trusted')?.confidence, 'inconclusive');
  });

  it('what is refused with DATA is refused', async () => {
    const findings = await audited((line) => {
      if (line.startsWith('RCPT TO:')) return '250 2.1.5 ok\r\n';
      return line === 'DATA' ? '550 5.7.1 relaying denied\r\n' : undefined;
    });
    assert.equal(findings.get('relay.n2')?.confidence, 'not-observed');
  });

  it('who is crowded out cannot tell about ETRN and PROXY', async () => {
    const full = { greeting: '421 4.3.2 too many\r\n', answer: () => '421 4.3.2 too many\r\n' };
    const findings = await auditMock(full, [openRelay], { domains: ['own.test'] });
    for (const id of ['relay.etrn', 'relay.r28p']) {
      assert.equal(findings.get(id)?.confidence, 'inconclusive', id);
    }
  });

  it('a server that queues everything and delivers nothing is told of in time', async () => {
    let waits = 0;
    const canary = {
      domain: 'canary.test',
      endpoint: { address: '127.0.0.1', port: 25 },
      arrived: async () => {
        waits += 1;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return undefined;
      },
    };
    const mock = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(KEYWORDS, takesAll) };
    const begunMs = performance.now();
    const findings = await auditMock(mock, [openRelay], {
      level: 'active',
      domains: ['own.test'],
      options: { canary },
    });
    assert.equal(findings.get('relay.n2')?.confidence, 'likely');
    assert.ok(waits > 20, `${waits}`);
    // One after the other in four rows it would be two seconds and more.
    assert.ok(performance.now() - begunMs < 2_000, `${performance.now() - begunMs} ms`);
  });
});

describe('returns to our canary', () => {
  for (const [what, id, matches] of [
    ['bounced to a forged sender', 'relay.backscatter', (to: string) => to.startsWith('<x')],
    ['answered automatically', 'relay.autoreply', (to: string) => to.startsWith('<postmaster')],
  ] as const) {
    it(what, async () => {
      const arrivals = new Set<string>();
      const canary = {
        domain: 'canary.test',
        endpoint: { address: '127.0.0.1', port: 25 },
        arrived: async (token: string) =>
          arrivals.has(token)
            ? {
                from: { address: '127.0.0.1', port: 9 },
                reversePath: '',
                recipients: [`${token}@canary.test`],
                octets: new Uint8Array(0),
              }
            : undefined,
      };
      const more: Hook = (line, { lines }) => {
        const mail = lines.findLast((one) => one.startsWith('MAIL FROM:')) ?? '';
        const to = line.slice('RCPT TO:'.length);
        if (line.startsWith('RCPT TO:') && matches(to) && mail.includes('@canary.test')) {
          arrivals.add(/<([a-z0-9]+)@/.exec(mail)?.[1] ?? '');
          return '250 2.1.5 ok\r\n';
        }
        if (line === 'DATA') return '354 go on\r\n';
        if (line === '.') return '250 2.0.0 queued\r\n';
        const isContent = lines.includes('DATA') && !/^(?:QUIT|RSET)/.test(line);
        return isContent ? '' : undefined;
      };
      const mock = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(KEYWORDS, more) };
      const findings = await auditMock(mock, [openRelay], {
        level: 'active',
        domains: ['own.test'],
        options: { canary },
      });
      assert.deepEqual(told(findings), [id]);
    });
  }
});
