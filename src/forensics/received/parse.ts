/** Reads a Received line (RFC 5321 4.4), in the forms that mail programs really write. */

import { type MailDate, parseMailDate } from '#message/date.ts';
import { type Item, RECEIVED_CHARACTERS, readItems } from './items.ts';
import type { Oddity, Read, ReceivedLine } from './line.ts';
import { type Peer, addressOf, readPeer } from './peer.ts';
import { productOf } from './product.ts';
import { readTls, saysLogin } from './tls.ts';

type ClauseName = 'from' | 'by' | 'via' | 'with' | 'id' | 'for' | 'other';

interface Clause {
  readonly words: string[];
  readonly comments: string[];
}

interface Clauses {
  readonly found: ReadonlyMap<ClauseName, Clause>;
  /** The text after the semicolon that begins the date. */
  readonly dateText: string | undefined;
  readonly twice: boolean;
  readonly lowerWith: boolean;
}

const KEYWORDS = new Map<string, ClauseName>([
  ['from', 'from'],
  ['by', 'by'],
  ['via', 'via'],
  ['with', 'with'],
  ['id', 'id'],
  ['for', 'for'],
  // Haraka and some others have it without a comment around it.
  ['envelope-from', 'other'],
]);
const EMPTY: Clause = { words: [], comments: [] };

/**
 * Reads an unfolded value, octets as latin1. Never fails: what cannot be made out is undefined.
 * Linear time; at most 8,192 characters are looked at.
 */
export function parseReceived(value: string): ReceivedLine {
  const clauses = readClauses(value);
  const part = (name: ClauseName): Clause => clauses.found.get(name) ?? EMPTY;
  const [from, by, withPart, id] = [part('from'), part('by'), part('with'), part('id')];
  const withWords = withPart.words.join(' ');
  const idWord = bare(id.words[0] ?? '');
  const product = productOf({
    fromComments: from.comments,
    byComments: by.comments,
    withComments: withPart.comments,
    otherComments: [...part('other').comments, ...id.comments],
    by: by.words[0] ?? '',
    with: withWords,
    id: [idWord, ...id.words.slice(1)].join(' '),
  });
  const peer = readPeer(from.words, from.comments, product?.name);
  const all = [...clauses.found.values()].flatMap(({ comments }) => comments);
  const outside = all.filter((one) => !from.comments.includes(one) || !describesPeer(one));
  const words = [...withPart.words, ...part('other').words];
  const tls = readTls(withWords, [...outside, tlsOfWords(words), id.words.slice(1).join(' ')]);
  const byWord = by.words[0];
  const byIp = by.comments.map(addressOf).find((ip) => ip !== undefined);
  const dateText = clauses.dateText ?? dateOfWords(id.words.slice(1));
  const date = dateOf(dateText);
  return {
    ...peer,
    by: byWord === undefined ? undefined : sure(addressOf(byWord) ?? withoutDot(byWord)),
    byIp: byIp === undefined ? undefined : sure(byIp),
    product,
    with: withWords === '' ? undefined : sure(protocolOf(withPart.words)),
    via: first(part('via')),
    ...tls,
    login: peer.login ?? loginOf(withWords, [...id.words, ...withPart.words], all),
    id: idWord === '' ? undefined : sure(idWord),
    for: addressee(part('for')),
    envelopeFrom: envelopeFrom(part('other'), all),
    date,
    dateText,
    zoneName: zoneName(dateText),
    structure: structureOf([by, from, part('other')], date),
    oddities: odditiesOf(value, { ...clauses, dateText }, { by, from, peer, date }),
  };
}

/** Gives every word and comment to the clause that it stands in. */
function readClauses(value: string): Clauses {
  const items = readItems(value);
  const dateAt = dateStart(value, items);
  const found = new Map<ClauseName, Clause>();
  let clause = clauseOf(found, 'other');
  let twice = false;
  let lowerWith = false;
  for (const item of items) {
    if (item.kind === 'semicolon') {
      if (item.at === dateAt) break;
      continue;
    }
    if (item.kind === 'comment') {
      clause.comments.push(item.text);
      continue;
    }
    const name = KEYWORDS.get(item.text.toLowerCase());
    if (name === undefined) clause.words.push(item.text);
    else {
      // `with ESMTP with STARTTLS`: two of these say more, two of others contradict each other.
      if (found.has(name) && (name === 'from' || name === 'by')) twice = true;
      if (name === 'with' && item.text === 'with') lowerWith = true;
      clause = twice && found.has(name) ? { words: [], comments: [] } : clauseOf(found, name);
    }
  }
  const dateText = dateAt === undefined ? undefined : value.slice(dateAt, dateAt + 200).trim();
  return { found, dateText, twice, lowerWith };
}

function clauseOf(found: Map<ClauseName, Clause>, name: ClauseName): Clause {
  let clause = found.get(name);
  if (clause === undefined) found.set(name, (clause = { words: [], comments: [] }));
  return clause;
}

/** After the last semicolon that a date follows, else after the last one. */
function dateStart(value: string, items: readonly Item[]): number | undefined {
  const stops = items.flatMap((item) => (item.kind === 'semicolon' ? [item.at] : []));
  if (stops.length < 2) return stops[0];
  const dated = stops.slice(-4).findLast((at) => parseMailDate(value.slice(at, at + 200)));
  return dated ?? stops.at(-1);
}

/** SendGrid has no semicolon, and once wrote dates as its language prints them. */
function dateOfWords(words: readonly string[]): string | undefined {
  const text = words.slice(0, 10).join(' ');
  const iso = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,9})? ([+-]\d{4})/.exec(text);
  if (iso !== null) {
    const month = monthName(Number(iso[2]));
    return `${iso[3]} ${month} ${iso[1]} ${iso[4]} ${iso[5]}`;
  }
  return parseMailDate(text) === undefined ? undefined : text;
}

function dateOf(text: string | undefined): ReceivedLine['date'] {
  if (text === undefined) return undefined;
  const date = parseMailDate(text);
  if (date === undefined) {
    const odd = parseMailDate(oddDate(text) ?? '');
    return odd === undefined ? undefined : { ...odd, confidence: 'low' };
  }
  return { ...date, confidence: /[+-]\d{2}:?\d{2}/.test(text) ? 'high' : 'medium' };
}

/** `Wed Aug 28 10:45:49 2002 +0100`, as ctime(3) has it, and qmail-scanner's `22/08/2002 10:25:57`. */
function oddDate(text: string): string | undefined {
  const ctime =
    /^[A-Za-z]{3},? +([A-Za-z]{3}) +(\d{1,2}) +(\d{1,2}:\d\d:\d\d) +(\d{4})(?: *([+-]\d{4}))?/.exec(
      text,
    );
  if (ctime !== null) return `${ctime[2]} ${ctime[1]} ${ctime[4]} ${ctime[3]} ${ctime[5] ?? ''}`;
  const slashed = /^(\d\d)\/(\d\d)\/(\d{4}) (\d\d:\d\d:\d\d)$/.exec(text);
  if (slashed === null) return undefined;
  return `${slashed[1]} ${monthName(Number(slashed[2]))} ${slashed[3]} ${slashed[4]}`;
}

function monthName(month: number): string {
  return 'JanFebMarAprMayJunJulAugSepOctNovDec'.slice(month * 3 - 3, month * 3);
}

/** What describes the client may hold anything that it said. */
function describesPeer(comment: string): boolean {
  return /\[|helo[= ]|ehlo |lhlo |@/i.test(comment) || addressOf(comment) !== undefined;
}

/** Exim writes `with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384`. */
function tlsOfWords(words: readonly string[]): string {
  const at = words.findIndex((word) => word.toLowerCase() === 'tls');
  return at === -1 ? '' : words.slice(at + 1, at + 2).join(' ');
}

/** `ESMTPS`, or all words of a name such as `Microsoft SMTP Server`. */
function protocolOf(words: readonly string[]): string {
  const [word = ''] = words;
  return /^(?:microsoft|mapi|http|nntp)/i.test(word) ? words.slice(0, 3).join(' ') : word;
}

function loginOf(
  withWords: string,
  words: readonly string[],
  comments: readonly string[],
): Read | undefined {
  // OpenSMTPD: `auth=yes user=bob`.
  const user = words.find((word) => /^user=/i.test(word));
  if (words.includes('auth=yes')) return { text: user?.slice(5) ?? '', confidence: 'high' };
  for (const comment of comments) {
    const name = /^authenticated(?: sender:| as)? ?([^\s=]{0,320})/i.exec(comment)?.[1];
    if (name !== undefined) return { text: name.includes('bits') ? '' : name, confidence: 'high' };
  }
  return saysLogin(withWords) ? { text: '', confidence: 'high' } : undefined;
}

function addressee({ words }: Clause): Read | undefined {
  const word = words.find((one) => one.includes('@'));
  return word === undefined ? undefined : sure(bare(word));
}

function envelopeFrom(other: Clause, comments: readonly string[]): Read | undefined {
  const word = other.words.find((one) => one.startsWith('<'));
  if (word !== undefined) return sure(bare(word));
  for (const comment of comments) {
    const found = /^(?:envelope-(?:from|sender)|return-path)[: ]+<?([^<>\s]{0,320})>?/i.exec(
      comment,
    );
    if (found?.[1] !== undefined) return sure(found[1]);
  }
  return undefined;
}

function zoneName(dateText: string | undefined): string | undefined {
  const found = /[+-]\d{4} \(([A-Z]{2,5})\)/.exec(dateText ?? '');
  return found?.[1];
}

/** `(qmail 123 invoked from network)` names no host, and there is none to be named. */
function structureOf(
  clauses: readonly Clause[],
  date: MailDate | undefined,
): ReceivedLine['structure'] {
  const told = clauses.some(({ words, comments }, at) => {
    return comments.length > 0 || (words.length > 0 && at < 2);
  });
  if (told && date !== undefined) return 'full';
  return told || date !== undefined ? 'partial' : 'none';
}

function odditiesOf(
  value: string,
  clauses: Clauses,
  read: {
    readonly by: Clause;
    readonly from: Clause;
    readonly peer: Pick<Peer, 'mayBeForged' | 'noAddress'>;
    readonly date: MailDate | undefined;
  },
): readonly Oddity[] {
  const odd: Oddity[] = [];
  const { dateText } = clauses;
  const protocol = clauses.found.get('with')?.words[0] ?? '';
  if (clauses.twice) odd.push('clause twice');
  if (dateText === undefined || dateText === '') odd.push('no date');
  else if (/\d ?[AP]M\b/i.test(dateText)) odd.push('date with AM or PM');
  else if (read.date === undefined) odd.push('unreadable date');
  if (/^e?smtp;?$/.test(protocol) && clauses.found.get('with')?.comments.length === 0) {
    odd.push('with in lower case');
  }
  const [from = '', to = ''] = [read.from.words[0], read.by.words[0]];
  const bareHosts = [from, to].every((word) => !word.includes(':') && addressOf(word) === word);
  if (bareHosts && from !== '') odd.push('both hosts are bare addresses');
  if (read.peer.mayBeForged) odd.push('rdns may be forged');
  if (read.peer.noAddress) odd.push('an address that is none');
  if (value.length > RECEIVED_CHARACTERS) odd.push('cut');
  return odd;
}

function first({ words }: Clause): Read | undefined {
  return words.length === 0 ? undefined : sure(words.join(' ').slice(0, 80));
}

function bare(word: string): string {
  return word.replace(/^<+|>+[,;]?$/g, '');
}

function withoutDot(word: string): string {
  return word.replace(/\.$/, '');
}

function sure(text: string): Read {
  return { text, confidence: 'high' };
}
