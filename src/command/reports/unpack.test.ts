/** Archives from strangers: reports come out of gzip and zip, bombs do not go off. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { concat, utf8 } from '#base/bytes.ts';
import { composeMessage, leafPart, multipart, textPart } from '#message/compose.ts';
import { findReports } from './find.ts';
import { UNPACKED_BYTES, unpacked } from './unpack.ts';

const REPORT = utf8(
  '<feedback><report_metadata><org_name>there.test</org_name><report_id>1</report_id><date_range>' +
    '<begin>1767225600</begin><end>1767311999</end></date_range></report_metadata>' +
    '<policy_published><domain>here.test</domain><p>none</p></policy_published><record><row>' +
    '<source_ip>192.0.2.9</source_ip><count>4</count><policy_evaluated><disposition>none' +
    '</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers>' +
    '<header_from>here.test</header_from></identifiers></record></feedback>',
);

interface ZipFile {
  readonly octets: Uint8Array;
  readonly method?: 0 | 8;
  readonly flags?: number;
  /** Octets that are there already, packed: entries over one piece. */
  readonly packed?: Uint8Array;
}

/** A zip archive; all entries point to the first file's octets with `overlap`. */
function zip(files: readonly ZipFile[], overlap = false): Uint8Array {
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const { octets, method = 8, flags = 0, packed = deflated(octets, method) } of files) {
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, flags, true);
    common.setUint16(4, method, true);
    common.setUint32(10, crc32(octets), true);
    common.setUint32(14, packed.length, true);
    // A lie, should somebody believe it.
    common.setUint32(18, 1, true);
    common.setUint16(22, 1, true);
    const fields = new Uint8Array(common.buffer);
    const place = new DataView(new ArrayBuffer(14));
    place.setUint32(10, overlap ? 0 : at, true);
    central.push(
      concat([utf8('PK\x01\x02\x14\x00'), fields, new Uint8Array(place.buffer), utf8('x')]),
    );
    if (overlap && at > 0) continue;
    local.push(utf8('PK\x03\x04'), fields, utf8('x'), packed);
    at += 31 + packed.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(10, files.length, true);
  end.setUint32(16, at, true);
  return concat([...local, ...central, new Uint8Array(end.buffer)]);
}

function deflated(octets: Uint8Array, method: number): Uint8Array {
  return method === 8 ? deflateRawSync(octets) : octets;
}

function mail(octets: Uint8Array, type: string): Uint8Array {
  const parts = [textPart('a report'), leafPart(octets, { type })];
  const { head, body } = composeMessage([], multipart('mixed', parts, new Uint8Array(18).fill(1)));
  return concat([head, body]);
}

test('a DMARC report: bare, packed either way, attached as anything', () => {
  const archives = [
    zip([{ octets: REPORT }]),
    zip([{ octets: REPORT, method: 0 }]),
    gzipSync(REPORT),
  ];
  const shapes = [
    REPORT,
    ...archives,
    ...archives.map((one) => mail(one, 'application/octet-stream')),
    mail(REPORT, 'text/xml'),
    mail(REPORT, 'application/xml'),
  ];
  for (const [index, octets] of shapes.entries()) {
    const [report, ...more] = findReports(octets);
    assert.equal(more.length, 0, `${index}`);
    assert.match(report?.title ?? '', /^DMARC report of there\.test about here\.test \(p=none\)/);
    assert.deepEqual(report?.rows[1]?.slice(0, 6), [
      '192.0.2.9',
      '4',
      'none',
      'fail',
      'fail',
      'here.test',
    ]);
  }
  assert.equal(findReports(REPORT, 'tls').length, 0);
  assert.equal(findReports(REPORT, 'dmarc').length, 1);
  assert.equal(
    findReports(zip([{ octets: utf8('x') }, { octets: REPORT }, { octets: REPORT }])).length,
    2,
  );
});

test('bombs: a gigabyte in a megabyte, entries over one piece, more than ten files', () => {
  // RFC 1952 2.2: one packed piece after the other is one file.
  const mebibyte = gzipSync(new Uint8Array(1_048_576).fill(0x20));
  const gigabyte = concat(Array.from({ length: 1_024 }, () => mebibyte));
  assert.ok(gigabyte.length < 5_000_000);
  assert.deepEqual(unpacked(gigabyte), []);
  assert.deepEqual(findReports(mail(gigabyte, 'application/gzip')), []);
  const large = new Uint8Array(UNPACKED_BYTES - 1).fill(0x20);
  const overlapping = zip(
    Array.from({ length: 10 }, () => ({ octets: large })),
    true,
  );
  assert.equal(unpacked(zip([{ octets: large }])).length, 1, 'the control');
  assert.deepEqual(unpacked(overlapping), []);
  assert.equal(unpacked(zip(Array.from({ length: 50 }, () => ({ octets: REPORT })))).length, 10);
  assert.deepEqual(unpacked(zip([{ octets: concat([large, large]) }])), []);
});

test('what is broken, encrypted or packed in another way is left out', () => {
  const good = zip([{ octets: REPORT }]);
  assert.equal(unpacked(good).length, 1, 'the control');
  assert.deepEqual(unpacked(zip([{ octets: REPORT, flags: 1 }])), []);
  assert.deepEqual(unpacked(gzipSync(REPORT).subarray(0, 60)), []);
  for (let cut = 2; cut < good.length; cut += 7)
    assert.deepEqual(unpacked(good.subarray(0, cut)), []);
  for (let at = 2; at < good.length; at += 1) {
    const odd = Uint8Array.from(good);
    odd[at] = 0xff;
    unpacked(odd);
  }
});
