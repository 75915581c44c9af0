/** Reports found in files and messages, also hostile ones. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { concat, utf8 } from '#base/bytes.ts';
import { composeMessage, leafPart, multipart, textPart } from '#message/compose.ts';
import { findReports } from './find.ts';
import { UNPACKED_BYTES } from './unpack.ts';

const REPORT = utf8(
  JSON.stringify({
    'organization-name': 'Company-X',
    'date-range': {
      'start-datetime': '2016-04-01T00:00:00Z',
      'end-datetime': '2016-04-01T23:59:59Z',
    },
    'contact-info': 'sts-reporting@company-x.example',
    'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
    policies: [
      {
        policy: {
          'policy-type': 'sts',
          'policy-string': ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example'],
          'policy-domain': 'company-y.example',
          'mx-host': ['*.mail.company-y.example'],
        },
        summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 303 },
        'failure-details': [
          {
            'result-type': 'certificate-expired',
            'sending-mta-ip': '2001:db8:abcd:0012::1',
            'receiving-mx-hostname': 'mx1.mail.company-y.example',
            'failed-session-count': 100,
          },
        ],
      },
    ],
  }),
);

function mail(octets: Uint8Array): Uint8Array {
  const part = leafPart(octets, { type: 'application/tlsrpt+gzip' });
  const whole = multipart('report', [textPart('a report'), part], new Uint8Array(18).fill(1));
  const { head, body } = composeMessage([], whole);
  return concat([head, body]);
}

test('the example of RFC 8460, bare, packed, and attached', () => {
  for (const octets of [REPORT, gzipSync(REPORT), mail(gzipSync(REPORT)), mail(REPORT)]) {
    const [report, ...more] = findReports(octets);
    assert.equal(more.length, 0);
    assert.match(report?.title ?? '', /Company-X, 2016-04-01T00:00:00Z to/);
    assert.deepEqual(report?.rows[1], ['company-y.example', 'sts', '5326', '303']);
    assert.deepEqual(report?.rows[2]?.slice(3, 6), [
      '100',
      'certificate-expired',
      'mx1.mail.company-y.example',
    ]);
  }
  assert.equal(findReports(REPORT, 'other').length, 0);
});

test('bombs, halves and other things hold no report, and cost no memory to speak of', () => {
  // A good report, but for the blanks behind it.
  const bomb = gzipSync(concat([REPORT, new Uint8Array(UNPACKED_BYTES).fill(0x20)]));
  for (const octets of [
    bomb,
    mail(bomb),
    gzipSync(REPORT).subarray(0, 40),
    utf8('hello'),
    utf8(''),
  ]) {
    assert.deepEqual(findReports(octets), []);
  }
});
