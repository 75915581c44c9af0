/** Examined messages as one HTML page that needs nothing else: no script, no link, no picture. */

import type { Finding } from '../conclusions.ts';
import { CAUTION, headlineText } from '../conclusions.ts';
import type { Examined } from '../examine.ts';
import { localMoment, moment } from '../moment.ts';
import type { Hop } from '../route/route.ts';
import { tellingFields } from './telling.ts';
import { GRADES, quoteText, readingText, spanText, subjectOf } from './words.ts';

/** The page's beginning; no octet of a message is in it. */
export function htmlStart(title: string): string {
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    `<style>${STYLE}</style></head><body><h1>${escapeHtml(title)}</h1>\n`
  );
}

export function htmlEnd(version: string): string {
  return `<footer>postern ${escapeHtml(version)}</footer></body></html>\n`;
}

/** One message as an article. Everything that is not ours is escaped. */
export function htmlArticle(one: Examined): string {
  const { specimen, from, route, authentication, conclusions } = one;
  const { headline, handedOver, responsible, findings, dropped } = conclusions;
  const { spf, dmarc, signatures, fields } = authentication;
  const kind = headline.kind.replace(/ /g, '-');
  const rows: [string, string][] = [
    ['who handed it to us', `${handedOver.text} — ${GRADES[handedOver.grade]}`],
    ['who answers for it', `${responsible.text} — ${GRADES[responsible.grade]}`],
    ['SPF', `${spf.result}: ${spf.why}`],
    ...signatures.dkim.map(({ domain, status, reason, repair }): [string, string] => {
      const broke = repair === undefined ? '' : `; it fits when undone: ${repair.text}`;
      return ['DKIM', `${status}: ${domain ?? 'nobody'}: ${reason}${broke}`];
    }),
    ['ARC', `${signatures.arc.status}: ${signatures.arc.reason}`],
    ['DMARC', `${dmarc.result}: ${dmarc.why}`],
    ...fields.map(({ standing, why, field }): [string, string] => {
      return [`results, ${standing}`, `${why}: ${quoteText(field.value)}`];
    }),
    ['SHA-256', specimen.sha256],
  ];
  return [
    `<article><h2>${text(subjectOf(specimen.head) || '(no subject)')}</h2>`,
    `<p>${text(specimen.name)}: ${text(readingText(from.main))}</p>`,
    `<p class="headline ${escapeHtml(kind)}">${text(headlineText(headline))}</p>`,
    `<p class="caution">${text(CAUTION)}</p>`,
    `<table>${rows.map(([name, value]) => `<tr><th>${text(name)}<td>${text(value)}`).join('')}</table>`,
    `<h3>The way, newest first</h3><table class="hops">${HOP_HEADS}`,
    route.hops.map((hop) => hopRow(hop, one)).join(''),
    `</table>${route.more > 0 ? `<p>${route.more} further lines were not read.</p>` : ''}`,
    `<p>${text(route.why)}</p>`,
    fieldTable(one),
    findingList('What speaks', findings),
    findingList('Seen, but no evidence', dropped),
    '</article>\n',
  ].join('\n');
}

/** Claims, but for those that a trusted host wrote. */
function fieldTable(one: Examined): string {
  const rows = tellingFields(one).map(({ group, name, value, above }) => {
    const cells = [group, name, value, above ? 'above the boundary' : ''];
    return `<tr>${cells.map((cell) => `<td>${text(cell)}`).join('')}`;
  });
  return `<details><summary>Other fields: claims</summary><table>${rows.join('')}</table></details>`;
}

const HOP_HEADS = '<tr><th>#<th>zone<th>time (UTC)<th>as written<th>delay<th>from<th>by<th>with';

function hopRow({ number, zone, why, line }: Hop, { delays, route }: Examined): string {
  const { date, helo, rdns, ip, by } = line;
  const delay = delays.find((one) => one.number === number);
  const span = delay === undefined ? '' : `${spanText(delay.ms)} ± ${spanText(delay.toleranceMs)}`;
  const cells = [
    String(number),
    zone,
    date === undefined ? (line.dateText ?? '') : moment(date.ms),
    date === undefined ? '' : localMoment(date.ms, date.zoneMinutes),
    span,
    [helo?.text, rdns?.text, ip?.text].filter(Boolean).join(' / '),
    by?.text ?? '',
    [line.with?.text, line.tls?.text, line.cipher?.text].filter(Boolean).join(' '),
  ];
  const row = cells.map((cell) => `<td>${text(quoteText(cell))}`).join('');
  const line2 =
    route.boundary?.number === number
      ? '<tr class="line"><td colspan="8">trust ends here: everything below is a claim'
      : '';
  return `<tr class="${escapeHtml(zone)}" title="${text(why)}">${row}${line2}`;
}

function findingList(title: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const items = findings.map(({ sign, strength, seen, rates }) => {
    const { innocent } = sign;
    const observed =
      rates === undefined
        ? ''
        : ` <small>seen in ${rates.easyHam} % of ordinary mail, ${rates.phish} % of phishing</small>`;
    const quotes = seen.quotes.map((quote) => `<blockquote>${text(quoteText(quote))}</blockquote>`);
    const why = innocent === undefined ? '' : ` <small>innocent: ${text(innocent)}</small>`;
    return `<li class="${strength}"><b>${strength}</b> ${text(sign.title)}: ${text(seen.text)}${observed}${why}${quotes.join('')}`;
  });
  return `<h3>${escapeHtml(title)}</h3><ul>${items.join('')}</ul>`;
}

/** Escaped; what steers terminals or turns text around is made visible, for copying out of it. */
function text(value: string): string {
  return escapeHtml(
    value.replace(UNSAFE, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`),
  );
}

const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

const STYLE =
  'body{font:15px/1.5 sans-serif;max-width:75em;margin:auto;padding:1em;color:#222}' +
  'article{border-top:2px solid #888;margin-top:2em}table{border-collapse:collapse;width:100%}' +
  'th,td{text-align:left;vertical-align:top;padding:.2em .6em;border-bottom:1px solid #ddd;' +
  'overflow-wrap:anywhere}.headline{font-size:1.3em;font-weight:bold}.authenticated{color:#064}' +
  '.contradicts-itself{color:#a00}.claimed td{color:#777}.line td{background:#fd8;font-weight:bold}' +
  'blockquote{margin:.2em 1em;font-family:monospace;overflow-wrap:anywhere}' +
  'li.strong b{color:#a00}li.weak b{color:#a60}small{color:#666}';
