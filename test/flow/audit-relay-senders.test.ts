/** Relaying is told apart from what else decides about a message: its sender, and whose domain it goes to. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditMock, type MockOptions, smtpAnswers } from '../world/audit.ts';
import { openRelay } from '#audit/probes/relay/open-relay.ts';

const CANARY = 'canary.test';

async function told(
  answer: MockOptions['answer'],
  id: string,
  more: Partial<MockOptions> = {},
): Promise<string | undefined> {
  const endpoint = { address: '127.0.0.1', port: 9 };
  const canary = { domain: CANARY, endpoint, arrived: () => Promise.resolve(undefined) };
  const mock = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers([], answer), ...more };
  const options = { level: 'active', domains: ['own.test'], options: { canary } } as const;
  return (await auditMock(mock, [openRelay], options)).get(id)?.confidence;
}

const senderOf = (lines: readonly string[]): string =>
  lines.findLast((line) => line.startsWith('MAIL FROM:')) ?? '';

const taken = (line: string, { lines }: { readonly lines: readonly string[] }) => {
  if (line === 'DATA') return '354 go on\r\n';
  if (line === '.') return '250 2.0.0 queued\r\n';
  return lines.includes('DATA') ? '' : undefined;
};

/** As `reject_unknown_sender_domain` does: a domain of nobody has no mail server. */
const wantsSenders =
  (relays: boolean): MockOptions['answer'] =>
  (line, session) => {
    if (!line.startsWith('RCPT')) return taken(line, session);
    if (/\.invalid>/.test(senderOf(session.lines))) {
      return '450 4.1.8 <x>: Sender address rejected: Domain not found\r\n';
    }
    return relays || line.includes('@own.test>') ? '250 2.1.5 ok\r\n' : undefined;
  };

const serves =
  (domain: RegExp): MockOptions['answer'] =>
  (line, session) => {
    if (!line.startsWith('RCPT')) return taken(line, session);
    return domain.test(line) ? '250 2.1.5 ok\r\n' : undefined;
  };

describe('relaying and what is not relaying', () => {
  it('where only senders that exist may write, the canary is one', async () => {
    assert.match((await told(wantsSenders(true), 'relay.n2')) ?? '', /confirmed|likely/);
    assert.equal(await told(wantsSenders(false), 'relay.n2'), 'not-observed');
  });

  it('where nobody is let in, nothing is said of bounces', async () => {
    const id = 'relay.backscatter';
    assert.equal(await told(serves(/@nowhere/), id), 'not-observed');
    assert.equal(await told(serves(/@nowhere/), id, { fullFor: 1_000 }), 'inconclusive');
  });

  it("the mail server of the canary's domain is no relay for it", async () => {
    const own = /@(?:own|canary)\.test>/;
    assert.equal(await told(serves(own), 'relay.n2'), 'not-observed');
    assert.match((await told(serves(/@/), 'relay.n2')) ?? '', /confirmed|likely/);
  });
});
