/** Messages that readers have stumbled over: what mailboxes hold while machines are fuzzed. */

import { fromLatin1 } from '#base/bytes.ts';

const MIXED = 'Content-Type: multipart/mixed; boundary="b"\r\n';

/** Small ones: they are read many thousand times. */
export const MAILS: readonly Uint8Array[] = [
  'Subject: dot\r\nFrom: A <a@b.test>\r\nTo: g:c@d.test;\r\n\r\n.\r\n..\r\nlast',
  `${MIXED}Subject: =?utf-8?q?=C3=A9_"x"?=\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--b--\r\n`,
  `${MIXED}\r\n--b\r\n${MIXED}\r\n--b\r\n\r\nunclosed`,
  '',
  '\r\n',
  'no header at all',
  'Subject: \xff\xfe "\\ {3}\r\nX: \0\r\nFrom: "a\r\n b" <"x y"@\xc3\xa9.test>, ((((\r\n\r\n\xff\0\r\n',
  'Subject: bare\nTo: x@y\n\nline\nline\rcr\r\n',
  'Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\nx',
  'Content-Type: text/plain; name*0*=utf-8\'\'%22; name*1="\\"}{"\r\nContent-Disposition: attachment; filename="a\\"b)"\r\nContent-Transfer-Encoding: base64\r\n\r\n=?A\r\n',
  `References: ${'<a@b> '.repeat(60)}\r\nDate: 31 Feb 99999 99:99\r\n\r\n`,
  `Subject: ${'x'.repeat(1_500)}\r\n\r\n${'y'.repeat(1_500)}`,
].map(fromLatin1);
