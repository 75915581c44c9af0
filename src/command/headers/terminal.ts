/** An examined message for the terminal: headline first, then the way, the checks, the signs. */

import { CAUTION, type Finding, headlineText } from '#forensics/conclusions.ts';
import type { Examined } from '#forensics/examine.ts';
import { localMoment, moment } from '#forensics/moment.ts';
import { tellingFields } from '#forensics/report/telling.ts';
import { GRADES, quoteText, readingText, spanText, subjectOf } from '#forensics/report/words.ts';
import type { Hop } from '#forensics/route/route.ts';
import { type Io, type Style, harmless, styled } from '../io.ts';

const QUOTE = 200;
const COLOURS: Readonly<Record<string, Style>> = {
  authenticated: 'green',
  'not authenticated': 'yellow',
  'contradicts itself': 'red',
  'cannot be determined': 'yellow',
  strong: 'red',
  weak: 'yellow',
  context: 'dim',
  dropped: 'dim',
};

/** One line: for many messages. */
export function summaryLine(one: Examined, io: Io): string {
  const { headline, findings } = one.conclusions;
  const strong = findings.filter(({ strength }) => strength === 'strong').length;
  const signs = strong === 0 ? '' : `, ${strong} strong`;
  const text = styled(
    io,
    COLOURS[headline.kind] ?? 'bold',
    harmless(headlineText(headline), QUOTE),
  );
  const who = harmless(readingText(one.from.main), 60);
  return `${harmless(one.specimen.name, 80)}  ${who}: ${text}${signs}\n`;
}

/** The whole report. Nothing of the message gets to the terminal but through `harmless`. */
export function fullReport(one: Examined, io: Io, all: boolean): string {
  const { specimen, from, conclusions, route } = one;
  const { headline, handedOver, responsible, findings, dropped } = conclusions;
  const lines = [
    `${styled(io, 'bold', harmless(specimen.name, QUOTE))}  ${specimen.sizeBytes} octets, sha256 ${specimen.sha256}`,
    `From     ${harmless(readingText(from.main), QUOTE)}`,
    `Subject  ${harmless(subjectOf(specimen.head), QUOTE)}`,
    '',
    styled(io, COLOURS[headline.kind] ?? 'bold', harmless(headlineText(headline), 400)),
    styled(io, 'dim', CAUTION),
    '',
    `Who handed it to us?     ${harmless(handedOver.text, 400)} [${GRADES[handedOver.grade]}]`,
    `Which domain answers?    ${harmless(responsible.text, 400)} [${GRADES[responsible.grade]}]`,
    `What contradicts itself? ${contradictions(findings)}`,
    '',
    styled(io, 'bold', 'The way, newest first'),
    ...hopLines(one, io),
    ...(route.more > 0 ? [`  ${route.more} further lines were not read`] : []),
    `  ${harmless(route.why, 400)}`,
    '',
    styled(io, 'bold', 'Authentication'),
    ...authenticationLines(one),
    ...findingLines('Signs', findings, io),
    ...(all ? tellingLines(one, io) : []),
    ...(all ? findingLines('Seen, but no evidence', dropped, io) : []),
  ];
  return `${lines.join('\n')}\n\n`;
}

function contradictions(findings: readonly Finding[]): string {
  const titles = findings.flatMap(({ sign, strength }) =>
    sign.contradiction === true && strength === 'strong' ? [sign.title] : [],
  );
  return titles.length === 0 ? 'nothing that was looked at' : [...new Set(titles)].join('; ');
}

function hopLines(one: Examined, io: Io): string[] {
  const { route } = one;
  return route.hops.flatMap((hop) => {
    const rule = `  ${'-'.repeat(12)} trust ends here: everything below is a claim ${'-'.repeat(12)}`;
    const end = route.boundary?.number === hop.number ? [styled(io, 'yellow', rule)] : [];
    return [...hopLine(hop, one, io), ...end];
  });
}

function hopLine({ number, zone, line }: Hop, { delays }: Examined, io: Io): string[] {
  const { date, helo, rdns, ip, by, tls, cipher, id, product } = line;
  const time =
    date === undefined
      ? harmless(line.dateText ?? 'no date', 60)
      : `${moment(date.ms)} (${localMoment(date.ms, date.zoneMinutes)})`;
  const delay = delays.find((other) => other.number === number);
  const span =
    delay === undefined ? '' : `, ${spanText(delay.ms)} ± ${spanText(delay.toleranceMs)}`;
  const peer = [helo?.text, rdns && `(${rdns.text})`, ip && `[${ip.text}]`].filter(Boolean);
  const how = [line.with?.text, tls?.text, cipher?.text].filter(Boolean).join(' ');
  const secured = line.secured === false ? `${how} in clear` : how;
  const writer = product === undefined ? '' : ` ${product.name} ${product.version ?? ''}`.trimEnd();
  const said = [
    peer.length === 0 ? '' : `from ${peer.join(' ')}`,
    by === undefined ? '' : `by ${by.text}${writer}`,
    secured === '' ? '' : `with ${secured}`,
    id === undefined ? '' : `id ${id.text}`,
  ];
  const words = said.filter((part) => part !== '').join(', ');
  return [
    `  ${String(number).padStart(2)} ${zone.padEnd(8)} ${time}${span}`,
    `     ${styled(io, zone === 'claimed' ? 'dim' : 'cyan', harmless(words, 600))}`,
  ];
}

function authenticationLines({ authentication, specimen }: Examined): string[] {
  const { spf, dmarc, signatures, fields } = authentication;
  const lines = [`  SPF    ${spf.result}: ${harmless(spf.why, 400)}`];
  for (const { status, domain, selector, reason, repair } of signatures.dkim) {
    const who = `${selector ?? '?'}._domainkey.${domain ?? '?'}`;
    lines.push(`  DKIM   ${status}: ${harmless(who, 300)}: ${harmless(reason, 300)}`);
    if (repair === undefined) continue;
    const sure = repair.proved ? 'the signature' : 'the body hash';
    lines.push(`         ${sure} fits when this is undone: ${harmless(repair.text, 300)}`);
  }
  if (signatures.dkim.length === 0) lines.push('  DKIM   none: the message is not signed');
  if (signatures.notLookedAt > 0)
    lines.push(`         ${signatures.notLookedAt} more not looked at`);
  lines.push(`  ARC    ${signatures.arc.status}: ${harmless(signatures.arc.reason, 300)}`);
  for (const { instance, sealer, results } of signatures.arc.sets) {
    const said = harmless(quoteText(results), QUOTE);
    lines.push(`         ${instance}: sealed by ${harmless(sealer, 100)}, who says: ${said}`);
  }
  lines.push(`  DMARC  ${dmarc.result}: ${harmless(dmarc.why, 400)}`);
  for (const { standing, why, field } of fields.slice(0, 20)) {
    lines.push(`  ${standing} results, ${why}: ${harmless(quoteText(field.value), QUOTE)}`);
  }
  if (specimen.headCut) lines.push('  the header is too long: the rest of it was not read');
  return lines;
}

function tellingLines(one: Examined, io: Io): string[] {
  const lines = tellingFields(one).map(({ group, name, value, above }) => {
    const zone = above ? 'trusted' : 'claimed';
    return `  ${zone} ${group.padEnd(9)} ${harmless(name, 60)}: ${harmless(value, QUOTE)}`;
  });
  return lines.length === 0 ? [] : ['', styled(io, 'bold', 'Other fields'), ...lines];
}

function findingLines(title: string, findings: readonly Finding[], io: Io): string[] {
  if (findings.length === 0) return [];
  const lines = ['', styled(io, 'bold', title)];
  for (const { sign, strength, seen, rates } of findings) {
    const { innocent } = sign;
    const observed =
      rates === undefined ? '' : ` (ordinary mail ${rates.easyHam} %, phishing ${rates.phish} %)`;
    const mark = styled(io, COLOURS[strength] ?? 'dim', strength.padEnd(7));
    lines.push(`  ${mark} ${sign.title}: ${harmless(seen.text, 400)}${observed}`);
    for (const quote of seen.quotes.slice(0, 4)) {
      if (quote !== '') lines.push(`          “${harmless(quoteText(quote), QUOTE)}”`);
    }
    if (innocent !== undefined && strength !== 'context') {
      lines.push(styled(io, 'dim', `          innocent: ${innocent}`));
    }
  }
  return lines;
}
