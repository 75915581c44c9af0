/** Everything that can be checked about who a message is from, each result with how it is known. */

import { parseAddress } from '#base/address.ts';
import type { Clock, Resolver } from '#base/world.ts';
import { type Head, firstField } from '#message/fields.ts';
import { type Author, readAuthor } from '#trust/dmarc/author.ts';
import { type DmarcOutcome, evaluateDmarc } from '#trust/dmarc/evaluate.ts';
import { isWithin } from '#trust/names.ts';
import { checkHost, spfIdentity } from '#trust/spf/check.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';
import type { Route } from '../route/route.ts';
import type { Specimen } from '../specimen.ts';
import { type ResultsField, readResults } from './results.ts';
import type { Signatures } from './signatures.ts';

/** How a thing is known. */
export type Grade =
  /** Proved: by a signature that we checked, or by our own record. */
  | 'P'
  /** Attested by a host that we trust. */
  | 'T'
  /** Claimed by whoever wrote the message. */
  | 'C'
  /** Inferred by us from other things. */
  | 'I';

export interface SpfFinding {
  readonly result: SpfOutcome['result'] | 'unknown';
  readonly domain: string | undefined;
  readonly why: string;
  readonly grade: Grade;
}

export interface DmarcFinding {
  readonly result: DmarcOutcome['result'] | 'unknown';
  readonly why: string;
  readonly disposition: DmarcOutcome['disposition'];
}

/** A domain that is proved or attested to answer for the message, and is the author's. */
export interface Aligned {
  readonly domain: string;
  readonly by: 'dkim' | 'spf' | 'dmarc' | 'arc';
  readonly grade: 'P' | 'T';
  readonly how: string;
}

export interface Authentication {
  readonly author: Author;
  readonly mailFrom: string | undefined;
  readonly spf: SpfFinding;
  readonly signatures: Signatures;
  readonly dmarc: DmarcFinding;
  readonly fields: readonly ResultsField[];
  readonly aligned: readonly Aligned[];
  /** Something that might have been a pass could not be checked: why. */
  readonly unknown: readonly string[];
}

export interface Checking {
  readonly specimen: Specimen;
  readonly route: Route;
  readonly authservIds: readonly string[];
  readonly signatures: Signatures;
  readonly resolver: Resolver;
  readonly clock?: Clock | undefined;
  /** Whether anybody can answer questions at all; else none is asked. */
  readonly asks: boolean;
}

/** Checks SPF and DMARC, reads what others say, and holds all of it against the author. */
export async function authenticate(checking: Checking): Promise<Authentication> {
  const { specimen, route, signatures } = checking;
  const author = readAuthor(specimen.headOctets, specimen.head);
  const mailFrom = mailFromOf(specimen.head, route);
  const spf = await checkSpf(checking, mailFrom);
  const fields = readResults(specimen.head, checking.authservIds, route.boundary?.field);
  const dmarc = await checkDmarc(checking, author, spf);
  const aligned = [
    ...alignedByUs(author, spf, signatures, dmarc.outcome),
    ...alignedByOthers(author, fields),
  ];
  const unsure = unknownOf(spf, signatures, specimen);
  return {
    author,
    mailFrom,
    spf,
    signatures,
    dmarc: dmarc.finding,
    fields,
    aligned,
    unknown: unsure,
  };
}

/** MAIL FROM as a trusted host wrote it down: Return-Path above the boundary, or in its line. */
function mailFromOf(head: Head, { boundary }: Route): string | undefined {
  if (boundary === undefined) return undefined;
  const field = firstField(head, 'return-path');
  if (field !== undefined && field.start < boundary.field.start) {
    const path = /^<?([^<>\s]{0,320})>?$/.exec(field.value)?.[1];
    if (path !== undefined) return path;
  }
  return boundary.line.envelopeFrom?.text;
}

async function checkSpf(checking: Checking, mailFrom: string | undefined): Promise<SpfFinding> {
  const { route, resolver, clock, asks } = checking;
  const { boundary } = route;
  if (boundary === undefined) return unknown('no trusted line tells who the client was');
  const ip = boundary.recorded?.clientAddress ?? boundary.line.ip?.text;
  const helo = boundary.recorded?.helo ?? boundary.line.helo?.text ?? '';
  if (ip === undefined) return unknown('the boundary line does not tell the client’s address');
  if (mailFrom === undefined) return unknown('no trusted line tells MAIL FROM');
  if (!asks) return unknown('the DNS was not asked');
  const path = mailFrom === '' ? null : parseAddress(mailFrom);
  if (path === undefined) return unknown('MAIL FROM is no address');
  const { identity, ...who } = spfIdentity(path, helo);
  const outcome = await checkHost({ ip, helo, resolver, ...who, ...(clock && { clock }) });
  const { result, domain, why } = outcome;
  if (result === 'temperror') return { ...unknown(`the DNS did not answer: ${why}`), domain };
  // The address is a trusted host's word, unless our own record has the line.
  const grade = boundary.recorded === undefined ? 'T' : 'P';
  return { result, domain, why: `${identity} ${domain}, client ${ip}: ${why}`, grade };
}

async function checkDmarc(
  checking: Checking,
  author: Author,
  spf: SpfFinding,
): Promise<{ readonly finding: DmarcFinding; readonly outcome?: DmarcOutcome }> {
  const { resolver, clock, asks, signatures } = checking;
  if (!asks) {
    const why = 'the DNS was not asked';
    return { finding: { result: 'unknown', why, disposition: 'none' } };
  }
  const { result, domain } = spf;
  const outcome = await evaluateDmarc({
    author,
    spf: domain === undefined ? undefined : { result, domain },
    dkim: signatures.dkim.flatMap(({ status, domain: signer }) =>
      signer === undefined
        ? []
        : [{ result: status === 'unknown' ? 'temperror' : status, domain: signer }],
    ),
    resolver,
    ...(clock && { clock }),
  });
  const { why, disposition } = outcome;
  const known = outcome.result === 'temperror' ? 'unknown' : outcome.result;
  return { finding: { result: known, why, disposition }, outcome };
}

function unknown(why: string): SpfFinding {
  return { result: 'unknown', domain: undefined, why, grade: 'I' };
}

/** What we checked ourselves; without a policy only the very same domain counts. */
function alignedByUs(
  author: Author,
  spf: SpfFinding,
  { dkim }: Signatures,
  outcome: DmarcOutcome | undefined,
): Aligned[] {
  if (author.kind !== 'author') return [];
  const { domain } = author;
  const found: Aligned[] = (outcome?.aligned ?? []).map((one) => ({
    domain,
    by: one.method,
    grade: one.method === 'spf' ? attested(spf) : 'P',
    how: `${one.method} of ${one.domain}, ${one.how}`,
  }));
  if (found.length > 0) return found;
  const signed = dkim.some((one) => one.status === 'pass' && one.domain === domain);
  if (signed) found.push({ domain, by: 'dkim', grade: 'P', how: `DKIM signature of ${domain}` });
  if (spf.result === 'pass' && spf.domain === domain) {
    found.push({ domain, by: 'spf', grade: attested(spf), how: `SPF of ${domain}` });
  }
  return found;
}

function attested({ grade }: SpfFinding): Aligned['grade'] {
  return grade === 'P' ? 'P' : 'T';
}

/** What a trusted host says it found out, if it is about the very author that we read. */
function alignedByOthers(author: Author, fields: readonly ResultsField[]): Aligned[] {
  if (author.kind !== 'author') return [];
  const { domain } = author;
  const found: Aligned[] = [];
  for (const { standing, results, authservId } of fields) {
    if (standing !== 'believed') continue;
    for (const { method, result, properties } of results) {
      if (result !== 'pass') continue;
      const values = properties.map(({ type, name, value }) => [`${type}.${name}`, value] as const);
      const about = (name: string): string | undefined =>
        values
          .find(([key]) => key === name)?.[1]
          .toLowerCase()
          .replace(/^.*@/, '');
      const who =
        method === 'dmarc' ? about('header.from') : (about('header.d') ?? about('header.i'));
      const same = who === domain || (method === 'dkim' && covers(who, domain));
      if (!same || (method !== 'dmarc' && method !== 'dkim')) continue;
      const how = `${method}=pass for ${who}, says ${authservId ?? ''}`;
      found.push({ domain, by: method, grade: 'T', how });
    }
  }
  return found;
}

/** A signature of the parent answers for its children; never the other way round. */
function covers(signer: string | undefined, domain: string): boolean {
  return signer !== undefined && signer.includes('.') && isWithin(domain, signer);
}

function unknownOf(spf: SpfFinding, signatures: Signatures, specimen: Specimen): string[] {
  const why: string[] = [];
  if (spf.result === 'unknown') why.push(`SPF: ${spf.why}`);
  for (const { status, domain, reason } of signatures.dkim) {
    if (status === 'unknown') why.push(`DKIM of ${domain ?? 'nobody'}: ${reason}`);
  }
  if (specimen.headCut) why.push('the header is longer than the limit: the rest was not read');
  return why;
}
