/** The second part of a notice: message/delivery-status, for programs (RFC 3464, RFC 6533). */

import { formatReply } from '#protocol/smtp/reply.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import { asBuffer, utf8, visible } from '#base/bytes.ts';
import { type ComposedPart, fieldBlocks, leafPart } from '#message/compose.ts';
import { formatDate } from '#message/date.ts';
import { type FieldText, acceptField, formatStructured } from '#message/field-text.ts';
import type { NoticeFacts, NoticeRecipient } from './facts.ts';
import { publicHost, publicText } from './hosts.ts';
import { decodeUnitext, encodeUnitext } from './unitext.ts';

/** Longer answers are cut: RFC 5321 4.5.3.1.5 allows 512 octets a line, nobody reads 50 lines. */
const ANSWER_LINES = 50;
/** Of all recipients together: a hostile server must not fill the sender's mailbox. */
const ALL_LINES = 500;
const LINE_CHARACTERS = 600;
const VALUE_CHARACTERS = 700;

/**
 * The part. `wide`: the notice travels by SMTPUTF8, so addresses are written in UTF-8
 * (message/global-delivery-status); otherwise everything is ASCII and addresses beyond it take
 * the 7-bit form of RFC 6533 3, which loses nothing and which every reader of reports knows.
 */
export function statusPart(facts: NoticeFacts, hostname: string, wide: boolean): ComposedPart {
  const blocks = [
    messageFields(facts, hostname),
    ...facts.recipients.map((each) => recipientFields(facts, each, wide)),
  ];
  const octets = fieldBlocks(blocks);
  if (!wide || !/[\x80-\xff]/.test(asBuffer(octets).toString('latin1'))) {
    return leafPart(octets, { type: 'message/delivery-status' });
  }
  const fields = [
    formatStructured('Content-Type', 'message/global-delivery-status'),
    formatStructured('Content-Transfer-Encoding', '8bit'),
  ];
  return { fields, body: octets, eightBit: true };
}

/**
 * An answer as it came, one entry a line, harmless: `550-5.1.1 no such user`. Whole, unless it is
 * one of very many (`recipients`) or very long.
 */
export function answerLines(reply: Reply, recipients: number): string[] {
  const most = Math.max(2, Math.min(ANSWER_LINES, Math.floor(ALL_LINES / recipients)));
  const lines = reply.lines.slice(0, most).map((line) => visible(line, LINE_CHARACTERS));
  return formatReply({ ...reply, lines })
    .trimEnd()
    .split('\r\n');
}

/** RFC 3464 2.2. */
function messageFields({ mail }: NoticeFacts, hostname: string): FieldText[] {
  const { envelopeId } = mail.envelope;
  return [
    ...(envelopeId === undefined ? [] : [exact('Original-Envelope-Id', envelopeId)]),
    formatStructured('Reporting-MTA', `dns; ${hostname}`),
    formatStructured('X-Postern-Queue-Id', mail.id),
    formatStructured('Arrival-Date', formatDate(mail.acceptedMs)),
  ];
}

/** RFC 3464 2.3, in the order of its grammar. */
function recipientFields(facts: NoticeFacts, each: NoticeRecipient, wide: boolean): FieldText[] {
  const { kind } = facts;
  const fields: FieldText[] = [];
  if (each.originalRecipient !== undefined) {
    fields.push(address('Original-Recipient', originalOf(each.originalRecipient, wide), wide));
  }
  fields.push(address('Final-Recipient', finalOf(each.address, wide), wide));
  fields.push(
    formatStructured('Action', kind),
    formatStructured('Status', soundStatus(each, kind)),
  );
  const host = each.reply === undefined ? undefined : publicHost(each.host);
  if (host !== undefined) fields.push(formatStructured('Remote-MTA', `dns; ${host}`));
  fields.push(...diagnostic(facts, each));
  if (each.lastAttemptMs !== undefined) {
    fields.push(formatStructured('Last-Attempt-Date', formatDate(each.lastAttemptMs)));
  }
  if (kind === 'delayed' && each.retryUntilMs !== undefined) {
    fields.push(formatStructured('Will-Retry-Until', formatDate(each.retryUntilMs)));
  }
  return fields;
}

/** The remote's whole answer, a line each (RFC 3461 9.2), or what we found ourselves. */
function diagnostic({ kind, recipients }: NoticeFacts, each: NoticeRecipient): FieldText[] {
  if (each.reply !== undefined) {
    const text = answerLines(each.reply, recipients.length).join('\r\n ');
    return [acceptField(`Diagnostic-Code: smtp; ${text}`) ?? exact('Diagnostic-Code', text)];
  }
  if (each.reason === '' || kind === 'delivered' || kind === 'relayed') return [];
  const reason = visible(publicText(each.reason), VALUE_CHARACTERS);
  return [formatStructured('Diagnostic-Code', `x-postern; ${reason}`)];
}

/** The status says what the Action says, whatever a remote made up (RFC 3464 2.3.4). */
function soundStatus(each: NoticeRecipient, kind: NoticeFacts['kind']): string {
  const sound = /^[245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})$/.test(each.status);
  const success = kind === 'relayed' || kind === 'delivered';
  if (success) return sound && each.status.startsWith('2') ? each.status : '2.0.0';
  if (kind === 'delayed') return sound && each.status.startsWith('4') ? each.status : '4.0.0';
  return sound && !each.status.startsWith('2') ? each.status : '5.0.0';
}

function finalOf(text: string, wide: boolean): string {
  if (!isWide(text)) return `rfc822; ${text}`;
  return `utf-8; ${wide ? text : encodeUnitext(text)}`;
}

/** What the sender gave as ORCPT, already decoded: `type;address` (RFC 3461 4.2). */
function originalOf(text: string, wide: boolean): string {
  const semicolon = text.indexOf(';');
  const type = text.slice(0, Math.max(0, semicolon)).trim();
  const value = text.slice(semicolon + 1).trim();
  if (!/^[A-Za-z0-9-]{1,40}$/.test(type)) return `unknown; ${visible(text, VALUE_CHARACTERS)}`;
  if (type.toLowerCase() !== 'utf-8') return isWide(value) ? finalOf(value, wide) : text;
  return `utf-8; ${wide ? decodeUnitext(value) : encodeUnitext(decodeUnitext(value))}`;
}

function address(name: string, value: string, wide: boolean): FieldText {
  return exact(name, value, wide);
}

/** A value to the letter, double blanks too; what could break the field is shown as `\xNN`. */
function exact(name: string, value: string, wide = false): FieldText {
  const harmful = wide ? /[\x00-\x1f\x7f-\x9f\u2028\u2029]/ : /[^\x20-\x7e]/;
  const text = harmful.test(value) ? visible(value, VALUE_CHARACTERS) : value;
  const fits = utf8(text).length <= VALUE_CHARACTERS && text.trim() === text && text !== '';
  const field = fits ? acceptField(`${name}: ${text}`) : undefined;
  return field ?? formatStructured(name, text, { utf8: wide });
}

function isWide(text: string): boolean {
  return /[^\x00-\x7f]/.test(text);
}
