/** Everything that can be checked about who a message is from, each result with how it is known. */

import { parseAddress } from '#base/address.ts';
import type { Clock, Resolver } from '#base/world.ts';
import { type Head, firstField } from '#message/fields.ts';
import { type Author, readAuthor } from '#trust/dmarc/author.ts';
import { type DmarcOutcome, evaluateDmarc } from '#trust/dmarc/evaluate.ts';
import { isWithin } from '#trust/names.ts';
import { checkHost, spfIdentity } from '#trust/spf/check.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';
import { isLoopback, isPrivate } from '../names/domains.ts';
import type { Route } from '../route/route.ts';
import type { Specimen } from '../specimen.ts';
import type { ParsedResult } from '#trust/results/parse.ts';
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
  /** A trusted host says that DMARC failed, or that there is no policy; none says the contrary. */
  readonly denied: boolean;
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
  const fields = readResults(specimen.head, checking.authservIds, route.boundary);
  const dmarc = await checkDmarc(checking, author, spf);
  const attested = attestedBy(author, fields);
  const aligned = [
    ...alignedByUs(author, spf, signatures, dmarc.outcome),
    ...(attested.failed ? [] : attested.aligned),
  ];
  const unsure = unknownOf(spf, signatures, specimen);
  const torn = attested.failed && attested.aligned.some(({ by }) => by === 'dmarc');
  if (torn) unsure.unshift('the results of trusted hosts contradict each other');
  return {
    author,
    mailFrom,
    spf,
    signatures,
    dmarc: dmarc.finding,
    fields,
    aligned,
    denied: attested.denied && !torn,
    unknown: unsure,
  };
}

/** MAIL FROM of our record, or as a trusted host wrote it: above the boundary, or in its line. */
function mailFromOf(head: Head, { boundary }: Route): string | undefined {
  if (boundary === undefined) return undefined;
  if (boundary.recorded?.mailFrom !== undefined) return boundary.recorded.mailFrom;
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
  if (isPrivate(ip) || isLoopback(ip)) return unknown(`the client ${ip} is of a private network`);
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
  // Nothing failed that could not be checked: neither the address nor a signature may be missing.
  const open = spf.result === 'unknown' ? spf.why : missingKey(signatures);
  if (outcome.result === 'fail' && open !== undefined) {
    return { finding: { result: 'unknown', why: open, disposition: 'none' }, outcome };
  }
  const known = outcome.result === 'temperror' ? 'unknown' : outcome.result;
  return { finding: { result: known, why, disposition }, outcome };
}

function missingKey({ dkim }: Signatures): string | undefined {
  return dkim.find(({ status }) => status === 'unknown')?.reason;
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
    grade: one.method === 'spf' ? gradeOf(spf) : 'P',
    how: `${one.method} of ${one.domain}, ${one.how}`,
  }));
  if (found.length > 0) return found;
  const signed = dkim.some((one) => one.status === 'pass' && one.domain === domain);
  if (signed) found.push({ domain, by: 'dkim', grade: 'P', how: `DKIM signature of ${domain}` });
  if (spf.result === 'pass' && spf.domain === domain) {
    found.push({ domain, by: 'spf', grade: gradeOf(spf), how: `SPF of ${domain}` });
  }
  return found;
}

function gradeOf({ grade }: SpfFinding): Aligned['grade'] {
  return grade === 'P' ? 'P' : 'T';
}

interface Attested {
  readonly aligned: readonly Aligned[];
  /** DMARC failed, whatever else passed: the policy may ask for the very same domain. */
  readonly failed: boolean;
  /** It did not pass: there may be no policy. */
  readonly denied: boolean;
}

/** What trusted hosts say they found out, if it is about the very author that we read. */
function attestedBy(author: Author, fields: readonly ResultsField[]): Attested {
  const aligned: Aligned[] = [];
  let failed = false;
  let denied = false;
  for (const { standing, results, authservId = '' } of fields) {
    if (standing !== 'believed' || author.kind !== 'author') continue;
    const { domain } = author;
    for (const one of results) {
      const who = domainIn(one);
      if (one.method === 'dmarc' && (who === undefined || who === domain)) {
        failed ||= one.result === 'fail';
        denied ||= failed || one.result === 'none';
      }
      const same = who === domain || (one.method === 'dkim' && covers(who, domain));
      const { method } = one;
      if (!same || one.result !== 'pass' || (method !== 'dmarc' && method !== 'dkim')) continue;
      aligned.push({
        domain,
        by: method,
        grade: 'T',
        how: `${method}=pass for ${who}, says ${authservId}`,
      });
    }
  }
  return { aligned, failed, denied };
}

/** Whom a result is about: `header.from` is an address or a domain, `header.d` a domain alone. */
function domainIn({ method, properties }: ParsedResult): string | undefined {
  const value = (wanted: string): string | undefined =>
    properties.find(({ type, name }) => `${type}.${name}` === wanted)?.value.toLowerCase();
  if (method === 'dmarc') return behindAt(value('header.from'));
  return value('header.d') ?? behindAt(value('header.i'));
}

function behindAt(text: string | undefined): string | undefined {
  return text?.slice(text.lastIndexOf('@') + 1);
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
