/** DMARC reports: a day counted, kept over a restart, sent once to who wants it, read again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import type { Clock, Lookup, Resolver } from '#base/world.ts';
import { firstField, readHead } from '#message/fields.ts';
import { readStructure } from '#message/scanner.ts';
import { decodeTransfer } from '#message/transfer.ts';
import type { DkimResult } from '#trust/dkim/result.ts';
import type { DmarcOutcome } from '#trust/dmarc/evaluate.ts';
import { parseDmarcRecord } from '#trust/dmarc/record.ts';
import { parseAggregateReport } from '#trust/dmarc-report/parse.ts';
import type { AggregateReport } from '#trust/dmarc-report/report.ts';
import type { NewMail } from '../../mail.ts';
import { DailyReports } from '../daily.ts';
import type { DaysOptions } from '../days.ts';
import { DmarcCounts, type Evaluation } from './counts.ts';
import { DmarcReporter } from './reporter.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-03-04T12:00:00Z');
const RECORD = 'v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@there.test';

/** Counts, a reporter, and what came out of it. */
class Stage {
  text: string | undefined;
  nowMs = NOW_MS;
  record: Lookup<string> = found(RECORD);
  counts: DmarcCounts;
  readonly mails: NewMail[] = [];
  readonly log: string[] = [];
  /** Throws when a report is given to intake. */
  broken: boolean | ((to: string) => boolean) = false;
  readonly #clock: Clock;
  readonly #limits: Partial<DaysOptions>;

  constructor(limits: Partial<DaysOptions> = {}) {
    const timer = { cancel: () => undefined };
    const after = (ms: number, task: () => void): typeof timer => {
      if (ms < 1_000) setImmediate(task);
      return timer;
    };
    this.#clock = { now: () => this.nowMs, elapsed: () => this.nowMs, after };
    this.#limits = limits;
    this.counts = this.restarted();
  }

  restarted(): DmarcCounts {
    const notebook = { read: () => this.text, write: (text: string) => void (this.text = text) };
    this.counts = new DmarcCounts({ clock: this.#clock, notebook, notKept, ...this.#limits });
    return this.counts;
  }

  async send(): Promise<void> {
    const from = parseAddress('reports@here.test');
    assert.ok(from !== undefined);
    const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };
    const log = { event: (_: string, name: string) => void this.log.push(name) };
    const txt = (name: string): Promise<Lookup<string>> =>
      Promise.resolve(name === '_dmarc.there.test' ? this.record : ABSENT);
    const reporter = new DmarcReporter({
      counts: this.counts,
      intake: {
        newId: () => 'Q1' as QueueId,
        accept: (mail) => {
          const to = mail.recipients[0]?.address.local ?? '';
          const broken = typeof this.broken === 'boolean' ? this.broken : this.broken(to);
          if (broken) return Promise.reject(new Error('no room'));
          this.mails.push(mail);
          return Promise.resolve({} as never);
        },
      },
      sign: (mail) => {
        const head = concat([utf8('X-Signed: yes\r\n'), mail.content.head]);
        return { ...mail, content: { ...mail.content, head } };
      },
      pack: gzipSync,
      resolver: { txt } as unknown as Resolver,
      clock: this.#clock,
      random,
      log,
      myhostname: 'mx.here.test' as Domain,
      from,
    });
    await new DailyReports({ clock: this.#clock, random, log }).add(reporter).send();
  }

  /** The day is over, and reported. */
  async nextDay(): Promise<AggregateReport | undefined> {
    this.nowMs += DAY_MS;
    await this.send();
    const mail = this.mails.at(-1);
    return mail && reportIn(mail);
  }
}

function notKept(thrown: Error): never {
  assert.fail(thrown);
}

const ABSENT: Lookup<string> = { kind: 'none', why: 'nxdomain', authentic: false };

function found(text: string): Lookup<string> {
  return { kind: 'found', records: [text], ttlSeconds: 60, authentic: false };
}

function reportIn({ content }: NewMail): AggregateReport | undefined {
  const whole = wholeOf(content);
  const part = readStructure(whole).root.children[1];
  assert.ok(part !== undefined);
  assert.equal(`${part.type}/${part.subtype}`, 'application/gzip');
  const body = whole.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
  return parseAggregateReport(gunzipSync(decodeTransfer(part.encoding, body).bytes))?.report;
}

function wholeOf({ head, body }: NewMail['content']): Uint8Array {
  assert.ok(body instanceof Uint8Array);
  return concat([head, body]);
}

interface Story {
  readonly address?: string;
  readonly result?: DmarcOutcome['result'];
  readonly aligned?: readonly ('spf' | 'dkim')[];
  readonly done?: Evaluation['done'];
  readonly rule?: string;
  readonly record?: string;
  readonly head?: string;
  readonly disposition?: DmarcOutcome['disposition'];
  readonly tag?: DmarcOutcome['tag'];
}

function message(story: Story = {}): Evaluation {
  const { result = 'pass', aligned = result === 'pass' ? ['spf'] : [] } = story;
  const signature = { domain: 'there.test', selector: 'k', status: 'pass' };
  const spf = { result: 'pass', domain: 'out.there.test', mechanism: 'a', why: '', lookups: [] };
  return {
    address: story.address ?? '192.0.2.1',
    reversePath: parseAddress('joe@out.there.test') ?? null,
    head: readHead(utf8(`${story.head ?? 'Subject: x'}\r\n\r\n`)),
    findings: {
      spf: { ...spf, result: 'pass' },
      dkim: { results: [signature as DkimResult], notLookedAt: 0 },
      dmarc: {
        result,
        why: '',
        author: 'there.test',
        disposition: story.disposition ?? (result === 'fail' ? 'reject' : 'none'),
        atStake: 'none',
        tag: result === 'fail' ? (story.tag ?? 'p') : undefined,
        policy: {
          domain: 'there.test',
          place: 'author',
          record: parseDmarcRecord(story.record ?? RECORD),
        },
        aligned: aligned.map((method) => ({ method, domain: 'there.test', how: 'same domain' })),
        lookups: [],
      },
    },
    done: story.done ?? 'accepted',
    rule: story.rule,
  };
}

describe('DMARC reports', () => {
  test('a day is counted, kept over a restart, and reported once when it is over', async () => {
    const stage = new Stage();
    const forged = { result: 'fail', done: 'refused', rule: 'reject_dmarc' } as const;
    stage.counts.counted(message());
    stage.counts.counted(message(forged));
    stage.counts.counted(message());
    stage.counts.counted(message({ address: '2001:db8::1', aligned: ['dkim', 'spf'] }));
    stage.counts.close();
    stage.restarted();
    stage.counts.counted(message(forged));
    await stage.send();
    assert.equal(stage.mails.length, 0, 'the day is not over');
    const report = await stage.nextDay();
    assert.deepEqual(
      report?.rows.map(({ sourceAddress, count, disposition, dkim, spf }) => {
        return [sourceAddress, count, disposition, dkim, spf].join(' ');
      }),
      [
        '192.0.2.1 2 pass fail pass',
        '2001:db8::1 1 pass pass pass',
        '192.0.2.1 2 reject fail fail',
      ],
    );
    const { policy, begin, end, organization } = report ?? {};
    assert.deepEqual([policy?.p, policy?.sp, policy?.testing], ['reject', 'quarantine', 'n']);
    assert.deepEqual([begin, end], [1_772_582_400, 1_772_668_799]);
    assert.equal(organization, 'here.test');
    await stage.send();
    stage.counts.close();
    stage.restarted();
    await stage.send();
    assert.equal(stage.mails.length, 1, 'once is enough');
  });

  test('the mail: signed, from nobody, its names as RFC 7489 7.2.1.1 wants them', async () => {
    const stage = new Stage();
    stage.counts.counted(message());
    await stage.nextDay();
    const [mail] = stage.mails;
    assert.ok(mail !== undefined);
    const head = readHead(mail.content.head);
    assert.equal(firstField(head, 'X-Signed')?.value.trim(), 'yes');
    assert.equal(
      firstField(head, 'Subject')?.value.replace(/\s+/g, ' ').trim(),
      'Report Domain: there.test Submitter: here.test Report-ID: <2026-03-04.there.test@here.test>',
    );
    assert.equal(firstField(head, 'Auto-Submitted')?.value.trim(), 'auto-generated');
    assert.equal(mail.reversePath, null, 'no bounce comes back');
    assert.deepEqual(mail.recipients[0]?.notify, []);
    assert.match(
      latin1(wholeOf(mail.content)),
      /filename="?here\.test!there\.test!1772582400!1772668799\.xml\.gz/,
    );
  });

  test('what was done is told as it was, with the reason where the record asked for more', async () => {
    const testing = `${RECORD}; t=y`;
    const rows: readonly (readonly [story: Story, disposition: string, reason: string])[] = [
      [{}, 'pass', ''],
      [{ result: 'fail', done: 'refused', rule: 'reject_dmarc' }, 'reject', ''],
      [{ result: 'fail', done: 'accepted' }, 'none', 'local_policy'],
      [
        { result: 'fail', done: 'quarantined', rule: 'quarantine_dmarc' },
        'quarantine',
        'local_policy',
      ],
      [{ result: 'fail', done: 'refused', rule: 'reject_rbl_client' }, 'none', 'local_policy'],
      [{ result: 'temperror' }, 'none', 'other the DNS did not answer'],
      [
        {
          result: 'fail',
          disposition: 'quarantine',
          done: 'quarantined',
          rule: 'quarantine_dmarc',
          record: testing,
        },
        'quarantine',
        'policy_test_mode',
      ],
    ];
    for (const [story, disposition, reason] of rows) {
      const stage = new Stage();
      stage.counts.counted(message(story));
      const [row] = (await stage.nextDay())?.rows ?? [];
      const said = row?.reasons.map(({ type, comment = '' }) => `${type} ${comment}`.trim()).join();
      assert.deepEqual([row?.disposition, said], [disposition, reason], JSON.stringify(story));
    }
  });

  test('nothing is counted of a report that proves its author; a forged one is mail', async () => {
    const heads = [
      'Subject: Report Domain: here.test Submitter: there.test Report-ID: <1>',
      'TLS-Report-Domain: here.test',
      'Content-Type: multipart/report; report-type="tlsrpt"',
      'Content-Type: multipart/report;\r\n\tboundary=x;\r\n\treport-type=feedback-report',
    ];
    for (const head of heads) {
      const stage = new Stage();
      stage.counts.counted(message({ head }));
      assert.equal(await stage.nextDay(), undefined, head);
      stage.counts.counted(
        message({ head, result: 'fail', done: 'refused', rule: 'reject_dmarc' }),
      );
      assert.equal((await stage.nextDay())?.rows[0]?.count, 1, `forged: ${head}`);
    }
  });

  test('a notice about undelivered mail is mail, and so is one about reports', async () => {
    for (const head of [
      'Content-Type: multipart/report; report-type=delivery-status',
      'Subject: Re: Report Domain: here.test',
    ]) {
      const stage = new Stage();
      stage.counts.counted(message({ head }));
      assert.equal((await stage.nextDay())?.rows.length, 1, head);
    }
  });

  test('nobody is written to who does not ask, or not any more', async () => {
    const stage = new Stage();
    stage.counts.counted(message({ record: 'v=DMARC1; p=reject' }));
    assert.equal(stage.text, undefined);
    stage.nowMs += DAY_MS;
    assert.equal(stage.counts.over().length, 0, 'not even counted');
    stage.counts.counted(message());
    stage.record = { kind: 'failed', reason: 'SERVFAIL' };
    await stage.nextDay();
    assert.equal(stage.counts.over().length, 1, 'kept');
    stage.record = found('v=DMARC1; p=reject; rua=mailto:x@victim.test');
    await stage.send();
    assert.deepEqual([stage.mails.length, stage.counts.over().length], [0, 0]);
    assert.deepEqual(stage.log, ['dmarc-report-not-wanted']);
    stage.record = found('v=DMARC1; p=reject; rua=mailto:reports@here.test');
    stage.counts.counted(message());
    await stage.nextDay();
    assert.equal(stage.mails.length, 0, 'nor to ourselves');
  });

  test('what cannot be taken in is tried again, and given up when it is old', async () => {
    const stage = new Stage();
    stage.counts.counted(message());
    stage.broken = true;
    await stage.nextDay();
    assert.deepEqual(stage.log, ['dmarc-report-failed']);
    stage.broken = false;
    await stage.send();
    assert.equal(stage.mails.length, 1);
    stage.counts.counted(message());
    stage.nowMs += 5 * DAY_MS;
    await stage.send();
    assert.equal(stage.mails.length, 1);
  });

  test('who got the report does not get it again because another one could not', async () => {
    const stage = new Stage();
    stage.record = found(`${RECORD},mailto:b@there.test,mailto:c@there.test`);
    stage.counts.counted(message());
    stage.broken = (to) => to === 'b';
    for (let hour = 0; hour < 3; hour += 1) await stage.nextDay();
    const got = stage.mails.map(({ recipients }) => recipients[0]?.address.local);
    assert.equal(new Set(got).size, 2);
    assert.equal(got.length, 2, got.join());
    assert.ok(stage.log.includes('dmarc-report-failed'));
  });

  test('rows are bounded, and the report says how many messages it leaves out', async () => {
    const stage = new Stage({ rows: 3, total: 4 });
    for (let n = 0; n < 10; n += 1) stage.counts.counted(message({ address: `192.0.2.${n}` }));
    stage.counts.counted(message({ address: '192.0.2.1' }));
    const report = await stage.nextDay();
    assert.equal(report?.rows.length, 3);
    assert.equal(
      report.rows.reduce((sum, { count }) => sum + count, 0),
      4,
    );
    assert.deepEqual(report.errors, ['7 more messages are not in this report']);
  });

  test('a notebook that is broken begins anew', () => {
    const stage = new Stage();
    for (const text of ['', '{', '{"days":[["x",[]]]}', '{"days":[[1]]}', 'null']) {
      stage.text = text;
      stage.nowMs += DAY_MS;
      assert.equal(stage.restarted().over().length, 0, text);
    }
  });
});
