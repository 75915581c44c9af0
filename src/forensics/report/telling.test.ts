/** Tests of what a header tells beside the way: every group, whoever wrote it, and no octet loose. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOUNDARY, examined, message } from '../testing.ts';
import { htmlArticle } from './html.ts';
import { reportJson } from './json.ts';
import { tellingFields } from './telling.ts';

const FIELDS =
  'Delivered-To: b@us.test\r\nSender: s@x.test\r\nIn-Reply-To: <0@x.test>\r\n' +
  'X-Mailer: =?utf-8?q?M=C3=BCller?=\r\nList-Id: <l.x.test>\r\nAuto-Submitted: no\r\n' +
  'Content-Type: text/html; x="<script>"\r\nX-Spam-Status: No\r\nX-MS-Exchange-Organization-SCL: 1\r\n' +
  'X-Something-Else: y\r\n';

test('fields of every group are told, with the side of the boundary that they stand on', async () => {
  const one = await examined(
    message({}, { top: 'X-Spam-Score: 5\r\n', boundary: BOUNDARY + FIELDS }),
  );
  const told = tellingFields(one);
  const groups = new Set(told.map(({ group }) => group));
  assert.deepEqual([...groups].toSorted(), [
    'automatic',
    'content',
    'envelope',
    'filters',
    'list',
    'people',
    'program',
    'thread',
  ]);
  assert.deepEqual(
    told.filter(({ above }) => above).map(({ name }) => name),
    ['X-Spam-Score'],
  );
  assert.equal(told.find(({ name }) => name === 'X-Mailer')?.value, 'M\u00fcller');
  assert.ok(!told.some(({ name }) => name === 'X-Something-Else' || name === 'Received'));
  const html = htmlArticle(one);
  assert.ok(html.includes('X-Spam-Status') && !html.includes('<script'));
  assert.ok(JSON.stringify(reportJson(one)).includes('"group":"filters"'));
});

test('of a header of thousands of fields some hundred are told', async () => {
  const one = await examined(
    message({}, { boundary: BOUNDARY + 'To: a@b.test\r\n'.repeat(5_000) }),
  );
  assert.equal(tellingFields(one).length, 200);
});
