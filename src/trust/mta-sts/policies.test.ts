/** The policies of others: fetched when they are new, kept when the world is not well. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { WebRequest, WebResponse } from '#base/web.ts';
import type { Clock, Lookup, Resolver } from '#base/world.ts';
import { stsSuite } from '#test/vectors/mta-sts.ts';
import { StsPolicies, type StsOptions } from './policies.ts';

const HOUR_MS = 3_600_000;
const IGNORED = (): void => undefined;

/** A world of one domain: its record, its policy host, a clock that moves by hand. */
class Stage {
  txt: Lookup<string> = found('v=STSv1; id=1');
  answer: () => WebResponse | Failure = () => ok(policy('enforce'));
  requests: WebRequest[] = [];
  text: string | undefined;
  nowMs = 1_000_000_000_000;
  tasks: (() => void)[] = [];
  readonly policies: StsPolicies;

  constructor(more: Partial<StsOptions> & { readonly text?: string } = {}) {
    this.text = more.text;
    const clock: Clock = {
      now: () => this.nowMs,
      elapsed: () => this.nowMs,
      after: (_, task) => {
        this.tasks.push(task);
        return { cancel: () => undefined };
      },
    };
    const resolver = { txt: () => Promise.resolve(this.txt) } as unknown as Resolver;
    const send = (request: WebRequest): Promise<WebResponse> => {
      this.requests.push(request);
      const answer = this.answer();
      return answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer);
    };
    const notebook = { read: () => this.text, write: (text: string) => void (this.text = text) };
    this.policies = new StsPolicies({
      resolver,
      web: { send },
      clock,
      notebook,
      notKept: IGNORED,
      ...more,
    });
  }

  async ask(): Promise<string> {
    const { policy: one, id, source, trouble } = await this.policies.policyFor('there.test');
    return [one?.mode ?? 'none', id ?? '-', source, trouble?.kind ?? 'fine'].join(' ');
  }
}

function found(text: string): Lookup<string> {
  return { kind: 'found', records: [text], ttlSeconds: 60, authentic: false };
}

function policy(mode: string, maxAge = 86_400): string {
  return `version: STSv1\r\nmode: ${mode}\r\nmx: mx.there.test\r\nmax_age: ${maxAge}\r\n`;
}

function ok(body: string, more: Partial<WebResponse> = {}): WebResponse {
  return {
    status: 200,
    headers: new Map([['content-type', 'text/plain; charset=utf-8']]),
    body: utf8(body),
    ...more,
  };
}

const FAILED: Lookup<string> = { kind: 'failed', reason: 'SERVFAIL' };
const NONE: Lookup<string> = { kind: 'none', why: 'nxdomain', authentic: false };

describe('MTA-STS policies', () => {
  test('the suite of examples', async () => {
    assert.deepEqual((await stsSuite.run('')).failures, []);
  });

  test('fetched once, kept until the id changes', async () => {
    const stage = new Stage();
    assert.equal(await stage.ask(), 'enforce 1 fetched fine');
    assert.equal(await stage.ask(), 'enforce 1 kept fine');
    assert.equal(stage.requests.length, 1);
    assert.equal(stage.requests[0]?.url, 'https://mta-sts.there.test/.well-known/mta-sts.txt');
    stage.txt = found('v=STSv1; id=2');
    stage.answer = () => ok(policy('testing'));
    assert.equal(await stage.ask(), 'testing 2 fetched fine');
    assert.equal(stage.requests.length, 2);
  });

  test('questions at the same time share one fetch', async () => {
    const stage = new Stage();
    await Promise.all([stage.ask(), stage.ask(), stage.ask()]);
    assert.equal(stage.requests.length, 1);
  });

  test('no record, no request; a hidden record does not lift a kept policy (RFC 8461 10.2)', async () => {
    const stage = new Stage();
    stage.txt = NONE;
    assert.equal(await stage.ask(), 'none - none fine');
    assert.equal(stage.requests.length, 0);
    stage.txt = found('v=STSv1; id=1');
    await stage.ask();
    for (const hidden of [NONE, FAILED, found('v=spf1 -all')]) {
      stage.txt = hidden;
      assert.equal(await stage.ask(), 'enforce 1 kept fine');
    }
    stage.txt = found('v=STSv1; id=!');
    assert.equal(await stage.ask(), 'enforce 1 kept sts-policy-invalid');
    // The control: once its time is over nothing applies.
    stage.txt = NONE;
    stage.nowMs += 24 * HOUR_MS;
    assert.equal(await stage.ask(), 'none - none fine');
  });

  test('a fetch that fails leaves the kept policy in force, and rests', async () => {
    const bad: readonly (readonly [string, () => WebResponse | Failure])[] = [
      ['sts-policy-fetch-error', () => Failure.temporary('timeout', 'too slow')],
      ['sts-policy-fetch-error', () => Failure.temporary('too-large', 'too large')],
      ['sts-webpki-invalid', () => Failure.temporary('tls-unverified', 'CERT_HAS_EXPIRED')],
      ['sts-policy-fetch-error', () => ok('', { status: 404 })],
      [
        'sts-policy-fetch-error',
        () => ok('', { status: 301, headers: new Map([['location', '/']]) }),
      ],
      [
        'sts-policy-invalid',
        () => ok(policy('enforce'), { headers: new Map([['content-type', 'text/html']]) }),
      ],
      ['sts-policy-invalid', () => ok(policy('enforce'), { headers: new Map() })],
      ['sts-policy-invalid', () => ok('version: STSv9')],
    ];
    for (const [kind, answer] of bad) {
      const fresh = new Stage();
      fresh.answer = answer;
      assert.equal(await fresh.ask(), `none - none ${kind}`);
      const stage = new Stage();
      await stage.ask();
      stage.txt = found('v=STSv1; id=2');
      stage.answer = answer;
      assert.equal(await stage.ask(), `enforce 1 kept ${kind}`);
      assert.equal(await stage.ask(), `enforce 1 kept ${kind}`);
      assert.equal(stage.requests.length, 2, 'no second request within the pause');
      stage.nowMs += 300_001;
      stage.answer = () => ok(policy('testing'));
      assert.equal(await stage.ask(), 'testing 2 fetched fine');
    }
  });

  test('in the second half of its life it is fetched again, with the same id', async () => {
    const stage = new Stage();
    await stage.ask();
    stage.nowMs += 11 * HOUR_MS;
    assert.equal(await stage.ask(), 'enforce 1 kept fine');
    stage.nowMs += 2 * HOUR_MS;
    assert.equal(await stage.ask(), 'enforce 1 fetched fine');
    stage.nowMs += 13 * HOUR_MS;
    stage.answer = () => Failure.temporary('unreachable', 'gone');
    assert.equal(await stage.ask(), 'enforce 1 kept sts-policy-fetch-error');
  });

  test('what is kept survives a restart, what is broken there does not', async () => {
    const stage = new Stage();
    await stage.ask();
    stage.policies.close();
    const again = new Stage({ text: stage.text ?? '' });
    again.txt = NONE;
    assert.equal(await again.ask(), 'enforce 1 kept fine');
    for (const text of [
      '',
      '{',
      '[]',
      '{"policies":[["there.test",{}]]}',
      stage.text?.replace('enforce', 'x') ?? '',
    ]) {
      const broken = new Stage({ text });
      broken.txt = NONE;
      assert.equal(await broken.ask(), 'none - none fine');
    }
  });

  test('a clock behind the fetch does not keep a policy for ever', async () => {
    const stage = new Stage();
    await stage.ask();
    stage.nowMs -= 1;
    stage.txt = NONE;
    assert.equal(await stage.ask(), 'none - none fine');
  });

  test('so many policies and no more', async () => {
    const stage = new Stage({ domains: 2 });
    for (const domain of ['a.test', 'b.test', 'c.test']) await stage.policies.policyFor(domain);
    stage.policies.close();
    assert.match(stage.text ?? '', /^(?!.*a\.test).*b\.test.*c\.test/);
  });
});
