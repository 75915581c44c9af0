/** Messages: structure in any pieces, facts, text, the forms that IMAP shows, and edits of heads. */

import { fromLatin1, latin1 } from '#base/bytes.ts';
import { editHead, splitMessage } from '#message/edit.ts';
import { messageFacts } from '#message/facts.ts';
import { formatStructured } from '#message/field-text.ts';
import { readHead } from '#message/fields.ts';
import { readSenders } from '#message/addresses.ts';
import type { Part } from '#message/part.ts';
import { readStructure, StructureScanner } from '#message/scanner.ts';
import { partText } from '#message/text.ts';
import { decodeParts, encodeParts, walkParts, withHead } from '#message/tree.ts';
import { formatBodyStructure } from '#protocol/imap/format/body-structure.ts';
import { formatEnvelope } from '#protocol/imap/format/envelope.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { readResponses } from '../imap-syntax.ts';
import { MAILS } from '../mails.ts';
import { must, pieces, same, type Target } from '../target.ts';

const RULES = {
  start: [
    '{head}\r\n{body}',
    '{mixed}\r\n--b\r\n{start}\r\n--b\r\n{start}\r\n--b--\r\n',
    '{rfc822}\r\n{start}',
    '{head}{head}\r\n{body}',
  ],
  head: ['', '{field}', '{field}{field}', '{field}{field}{head}'],
  field: [
    'Subject: {text}\r\n',
    'From: {list}\r\n',
    'To: {list}\r\n',
    'Content-Type: {type}\r\n',
    'Content-Transfer-Encoding: {encoding}\r\n',
    'Content-Disposition: attachment; {parameter}\r\n',
    'Date: Sun, 22 Nov 2026 05:00:00 +0000\r\n',
    'Message-ID: <a@b>\r\n',
    'References: <a@b> <c@d>\r\n',
    'no colon\r\n',
    ' folded\r\n',
    'X:\n',
    '__proto__: x\r\n',
    'Content-Language: en, de\r\n',
  ],
  mixed: [
    'Content-Type: multipart/mixed; boundary=b\r\n',
    'Content-Type: multipart/digest; boundary="b"\r\n',
    'Content-Type: multipart/alternative; boundary=bb\r\n',
  ],
  rfc822: ['Content-Type: message/rfc822\r\n', 'Content-Type: message/global\r\n'],
  type: [
    'text/plain',
    'text/html; charset=utf-8',
    'text/plain; charset="iso-2022-jp"',
    'multipart/mixed; boundary=""',
    'multipart/mixed',
    'image/png; {parameter}',
    'x',
    '/',
    'text/plain;;;',
    "multipart/mixed; boundary*=utf-8''%62",
  ],
  parameter: [
    'name=x',
    'name="a\\"b"',
    "name*=utf-8''%e2%82%ac",
    'name*0=a; name*1*=%20b',
    'name*99999999999=x',
    'filename="=?utf-8?q?a?="',
    'name="open',
  ],
  encoding: ['base64', 'quoted-printable', '7bit', 'BINARY', 'x', 'base64 (c)'],
  text: [
    'x',
    '=?utf-8?q?=C3=A9?=',
    '=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=',
    '=?x?q?',
    '\xff',
    '"\\',
    'a\r\n b',
  ],
  list: [
    'a@b.test',
    'A <a@b>, B <c@d>',
    'g:a@b,c@d;',
    '"x, y" <a@b> (c)',
    '(((',
    '<>',
    '=?utf-8?q?a?= <a@b>',
    '@',
    ',,,',
    'a@b@c',
    '<@x:a@b>',
  ],
  body: [
    'x',
    'a\r\nb\r\n',
    '=C3=A9=\r\n',
    'w6k=',
    '--b\r\n',
    '--b--',
    '--bb\r\n\r\nx',
    '\0',
    '',
    '.\r\n',
  ],
};

export const message: Target = {
  name: 'message',
  seeds: [...corpus('src/message'), ...MAILS.map(latin1)],
  generate: (chance) => expand(RULES, 'start', chance),
  run({ octets, setup }) {
    const structure = readStructure(octets);
    const text = JSON.stringify(structure);
    for (const how of ['octets', new Chance(setup, 'cuts')] as const) {
      const scanner = new StructureScanner();
      for (const piece of pieces(octets, how)) scanner.push(piece);
      same(JSON.stringify(scanner.finish()), text, 'any chunking gives the same structure');
    }
    const { root, head } = structure;
    checkParts(root, octets.length);
    messageFacts(head, root);
    for (const part of walkParts(root)) {
      if (part.children.length > 0) continue;
      partText(part, octets.subarray(part.bodyStart, part.bodyStart + part.bodyBytes));
    }
    const kept = encodeParts(root);
    same(encodeParts(decodeParts(kept)), kept, 'a tree comes back as it was kept');
    const shown = [
      formatBodyStructure(root),
      ...(root.envelope ? [formatEnvelope(root.envelope)] : []),
    ];
    for (const form of shown) readResponses(`* 1 FETCH (X ${latin1(form)})\r\n`, false);
    checkEdits(octets);
  },
};

/** Parts lie inside the part around them, one behind the other. */
function checkParts(root: Part, length: number): void {
  must(root.headStart === 0 && root.bodyStart + root.bodyBytes === length, 'all of it is read');
  for (const part of walkParts(root)) {
    must(part.headBytes >= 0 && part.bodyBytes >= 0 && part.bodyLines >= 0, 'sizes', part);
    must(part.headStart + part.headBytes <= part.bodyStart, 'a body is behind its head', part);
    let at = part.bodyStart;
    for (const child of part.children) {
      must(child.headStart >= at, 'children follow each other', child);
      at = child.bodyStart + child.bodyBytes;
      // The empty line that ends a head may be the line end that belongs to a delimiter.
      const end = part.bodyStart + part.bodyBytes + (child.bodyBytes === 0 ? 2 : 0);
      must(at <= end, 'a child lies in its parent', child);
    }
  }
}

/** Fields in front and replaced: only they change, and they are read as they were written. */
function checkEdits(octets: Uint8Array): void {
  const { head, body } = splitMessage(octets);
  must(head.length + body.length === octets.length, 'a message is its head and its body');
  const received = formatStructured('Received', 'by us');
  const edited = editHead(head, {
    front: [received],
    replace: [formatStructured('Subject', 'ours')],
    remove: ['bcc'],
  });
  const { fields } = readHead(edited);
  must(
    fields[0]?.key === 'received' && fields[0].value === 'by us',
    'what is put in front is first',
  );
  const subjects = fields.filter(({ key }) => key === 'subject').map(({ value }) => value);
  must(subjects.length === 1 && subjects[0] === 'ours', 'a replaced field stands once', subjects);
  must(
    fields.every(({ key }) => key !== 'bcc'),
    'a removed field is gone',
  );
  const before = readHead(head).fields.filter(({ key }) => key !== 'subject' && key !== 'bcc');
  const after = fields.filter(({ key }) => !['subject', 'bcc', 'x-orphaned-line'].includes(key));
  same(
    after
      .slice(1)
      .map(({ raw, name }) => name + raw)
      .join('|'),
    before.map(({ raw, name }) => name + raw).join('|'),
    'other fields stay',
  );
  const front = editHead(head, { front: [received] });
  const moved = withHead(readStructure(octets), front);
  const reread = readStructure(Buffer.concat([front, body]));
  if (readHead(head).fields.length > 0 && readHead(head).complete) {
    same(encodeParts(moved.root), encodeParts(reread.root), 'a shifted tree is the tree read anew');
  }
  readSenders(readHead(fromLatin1(latin1(head))));
}
