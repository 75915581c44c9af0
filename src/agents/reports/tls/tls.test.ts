/** TLS reports: counted, kept over a restart, sent once by mail and by POST, and read again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import type { WebRequest } from '#base/web.ts';
import type { Clock, Lookup, Resolver } from '#base/world.ts';
import { firstField, readHead } from '#message/fields.ts';
import { readStructure } from '#message/scanner.ts';
import { decodeTransfer } from '#message/transfer.ts';
import { readTlsRptRecords } from '#trust/tls-rpt/record.ts';
import { formatTlsReport, parseTlsReport } from '#trust/tls-rpt/report.ts';
import type { TlsSession } from '#trust/tls-rpt/words.ts';
import type { NewMail } from '../../mail.ts';
import { DailyReports } from '../daily.ts';
import { TlsCounts } from './counts.ts';
import { TlsReporter } from './reporter.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-03-04T12:00:00Z');
const POLICY = {
  type: 'sts',
  text: ['version: STSv1'],
  domain: 'there.test',
  mx: ['mx.there.test'],
} as const;

/** Counts, a reporter, and what came out of it. */
class Stage {
  text: string | undefined;
  nowMs = NOW_MS;
  txt: Lookup<string> = found('v=TLSRPTv1; rua=mailto:tls@there.test,https://there.test/tls');
  readonly mails: NewMail[] = [];
  readonly posts: WebRequest[] = [];
  status = 201;
  counts: TlsCounts;
  readonly #clock: Clock;

  constructor() {
    const timer = { cancel: () => undefined };
    this.#clock = { now: () => this.nowMs, elapsed: () => this.nowMs, after: () => timer };
    this.counts = this.restarted();
  }

  restarted(): TlsCounts {
    const notebook = { read: () => this.text, write: (text: string) => void (this.text = text) };
    return (this.counts = new TlsCounts({
      clock: this.#clock,
      notebook,
      notKept: (failure) => assert.fail(failure),
    }));
  }

  async send(): Promise<void> {
    const from = parseAddress('tls-reports@here.test');
    assert.ok(from !== undefined);
    const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };
    const log = { event: () => undefined };
    const reporter = new TlsReporter({
      counts: this.counts,
      intake: {
        newId: () => 'Q1' as QueueId,
        accept: (mail) => {
          this.mails.push(mail);
          return Promise.resolve({} as never);
        },
      },
      sign: (mail) => ({ ...mail, content: { ...mail.content, head: signed(mail.content.head) } }),
      pack: gzipSync,
      resolver: { txt: () => Promise.resolve(this.txt) } as unknown as Resolver,
      web: {
        send: (request) => {
          this.posts.push(request);
          return Promise.resolve({ status: this.status, headers: new Map(), body: utf8('') });
        },
      },
      clock: this.#clock,
      random,
      log,
      myhostname: 'mx.here.test' as Domain,
      from,
    });
    await new DailyReports({ clock: this.#clock, random, log }).add(reporter).send();
  }
}

function signed(head: Uint8Array): Uint8Array {
  return concat([utf8('X-Signed: yes\r\n'), head]);
}

function found(text: string): Lookup<string> {
  return { kind: 'found', records: [text], ttlSeconds: 60, authentic: false };
}

function session(failure?: TlsSession['failure'], address = '192.0.2.1'): TlsSession {
  return { policy: POLICY, failure, mx: 'mx.there.test', address };
}

function placesOf(...texts: string[]): string[] {
  return readTlsRptRecords(texts).map((place) =>
    place.kind === 'mail' ? place.address : place.url,
  );
}

const EXPIRED = { kind: 'certificate-expired', why: 'CERT_HAS_EXPIRED' } as const;

describe('TLS reports', () => {
  test('a day is counted, kept over a restart, and reported when it is over', async () => {
    const stage = new Stage();
    for (const one of [
      session(),
      session(),
      session(EXPIRED),
      session(EXPIRED),
      session(EXPIRED, '192.0.2.2'),
    ]) {
      stage.counts.counted(one);
    }
    stage.counts.close();
    stage.restarted();
    stage.counts.counted(session());
    await stage.send();
    assert.equal(stage.mails.length + stage.posts.length, 0, 'the day is not over');
    stage.nowMs += DAY_MS;
    await stage.send();
    assert.equal(stage.mails.length, 1);
    assert.equal(stage.posts.length, 1);
    const report = parseTlsReport(gunzipSync(stage.posts[0]?.body ?? utf8('')));
    assert.equal(report?.start, '2026-03-04T00:00:00Z');
    assert.equal(report?.policies.length, 1);
    const [entry] = report?.policies ?? [];
    assert.deepEqual([entry?.successful, entry?.failed, entry?.type], [3, 3, 'sts']);
    assert.deepEqual(
      entry?.failures.map(({ kind, sessions, receivingAddress }) => [
        kind,
        sessions,
        receivingAddress,
      ]),
      [
        ['certificate-expired', 2, '192.0.2.1'],
        ['certificate-expired', 1, '192.0.2.2'],
      ],
    );
    await stage.send();
    assert.equal(stage.mails.length, 1, 'once is enough');
  });

  test('the mail says what it is, is signed, and TLS is optional on its way (RFC 8460 5.3)', async () => {
    const stage = new Stage();
    stage.counts.counted(session());
    stage.nowMs += DAY_MS;
    await stage.send();
    const [mail] = stage.mails;
    assert.ok(mail !== undefined);
    const head = readHead(mail.content.head);
    assert.equal(firstField(head, 'TLS-Report-Domain')?.value.trim(), 'there.test');
    assert.equal(firstField(head, 'TLS-Report-Submitter')?.value.trim(), 'here.test');
    assert.equal(firstField(head, 'TLS-Required')?.value.trim(), 'No');
    assert.equal(firstField(head, 'X-Signed')?.value.trim(), 'yes');
    assert.match(firstField(head, 'Content-Type')?.value ?? '', /multipart\/report.*tlsrpt/s);
    assert.equal(mail.envelope.tls, 'optional', 'so no session with it is counted');
    assert.equal(mail.reversePath, null);
    assert.ok(mail.content.body instanceof Uint8Array);
    const whole = concat([mail.content.head, mail.content.body]);
    const part = readStructure(whole).root.children[1];
    assert.ok(part !== undefined);
    assert.equal(`${part.type}/${part.subtype}`, 'application/tlsrpt+gzip');
    const body = whole.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
    const report = parseTlsReport(gunzipSync(decodeTransfer(part.encoding, body).bytes));
    assert.equal(report?.policies[0]?.successful, 1);
    assert.match(
      latin1(whole),
      /filename="?here\.test!there\.test!1772582400!1772668799\.json\.gz/,
    );
  });

  test('nobody is written to who did not ask; no answer from the DNS means later', async () => {
    const stage = new Stage();
    stage.counts.counted(session());
    stage.nowMs += DAY_MS;
    stage.txt = { kind: 'failed', reason: 'SERVFAIL' };
    await stage.send();
    assert.equal(stage.counts.over().length, 1, 'kept');
    stage.txt = { kind: 'none', why: 'nxdomain', authentic: false };
    await stage.send();
    assert.equal(stage.mails.length + stage.posts.length, 0);
    assert.equal(stage.counts.over().length, 0, 'forgotten');
  });

  test('a place that fails is tried again, days that are long gone are not', async () => {
    const stage = new Stage();
    stage.txt = found('v=TLSRPTv1; rua=https://there.test/tls');
    stage.status = 503;
    stage.counts.counted(session());
    stage.nowMs += DAY_MS;
    await stage.send();
    await stage.send();
    assert.equal(stage.posts.length, 2);
    stage.nowMs += 4 * DAY_MS;
    await stage.send();
    assert.equal(stage.posts.length, 2);
  });

  test('records: one, with addresses and https (RFC 8460 3)', () => {
    assert.deepEqual(placesOf('v=TLSRPTv1;rua=mailto:reports@example.com'), [
      'reports@example.com',
    ]);
    assert.deepEqual(placesOf('v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt'), [
      'https://reporting.example.com/v1/tlsrpt',
    ]);
    assert.deepEqual(placesOf('v=TLSRPTv1; rua=mailto:a@b.test , https://c.test/x;'), [
      'a@b.test',
      'https://c.test/x',
    ]);
    assert.deepEqual(
      placesOf('v=TLSRPTv1; rua=mailto:a%2Cb@c.test'),
      ['a,b@c.test'].filter((one) => parseAddress(one)),
    );
    const again = 'mailto:a@b.test,mailto:A@b.test,https://c.test/x,https://C.test/x';
    assert.deepEqual(placesOf(`v=TLSRPTv1; rua=${again}`), ['a@b.test', 'https://c.test/x']);
    for (const text of [
      '',
      'v=TLSRPTv2; rua=mailto:a@b.test',
      'v=TLSRPTv1; rua=http://c.test/',
      'v=TLSRPTv1; rua=mailto:%0d%0a@b',
      'v=TLSRPTv1; rua=file:///etc/passwd',
    ]) {
      assert.deepEqual(placesOf(text), [], text);
    }
    assert.deepEqual(
      placesOf('v=TLSRPTv1; rua=mailto:a@b.test', 'v=TLSRPTv1; rua=mailto:c@b.test'),
      [],
    );
  });

  test('a stranger’s report is read within limits, garbage in it is harmless', () => {
    assert.equal(parseTlsReport(utf8('{')), undefined);
    assert.equal(parseTlsReport(utf8('[]')), undefined);
    assert.equal(parseTlsReport(utf8('{"policies":{}}')), undefined);
    const odd = parseTlsReport(
      utf8(
        '{"__proto__":1,"policies":[null,{"policy":{"policy-type":"x","mx-host":"one"},"summary":{"total-failure-session-count":"7","total-successful-session-count":-3},"failure-details":[{"result-type":5}]}]}',
      ),
    );
    assert.deepEqual(odd?.policies[1]?.mx, ['one']);
    assert.deepEqual([odd?.policies[1]?.failed, odd?.policies[1]?.successful], [7, 0]);
    assert.equal(odd?.policies[1]?.failures[0]?.kind, '');
    const many = { policies: Array.from({ length: 5_000 }, () => ({})) };
    assert.equal(parseTlsReport(utf8(JSON.stringify(many)))?.policies.length, 1_000);
    const again = odd === undefined ? undefined : parseTlsReport(formatTlsReport(odd));
    assert.deepEqual(again, odd);
  });
});
