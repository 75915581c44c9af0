/** An examined message as JSON: one schema, versioned, everything that the other reports show. */

import type { Json, JsonObject } from '#base/json.ts';
import type { Finding } from '../conclusions.ts';
import { CAUTION, headlineText } from '../conclusions.ts';
import type { Examined } from '../examine.ts';
import type { ReceivedLine } from '../received/line.ts';
import type { Hop } from '../route/route.ts';
import { tellingFields } from './telling.ts';
import { quoteText, subjectOf } from './words.ts';

export const REPORT_SCHEMA = 'postern-headers/1';

/** Plain data; text as Unicode, control characters as JSON escapes them. */
export function reportJson(one: Examined): JsonObject {
  const { specimen, from, route, authentication, conclusions } = one;
  const { headline, handedOver, responsible, findings, dropped } = conclusions;
  return {
    schema: REPORT_SCHEMA,
    name: specimen.name,
    sha256: specimen.sha256,
    sizeBytes: specimen.sizeBytes,
    headCut: specimen.headCut,
    subject: subjectOf(specimen.head),
    from: {
      shown: { name: from.main.name, address: from.main.address ?? null },
      readings: from.readings.map(({ rule, name, address }) => ({
        rule,
        name,
        address: address ?? null,
      })),
    },
    headline: { ...headline, text: headlineText(headline) },
    caution: CAUTION,
    handedOver: { ...handedOver },
    responsible: { ...responsible },
    anchored: route.anchored,
    boundary: route.boundary?.number ?? null,
    boundaryWhy: route.why,
    hops: route.hops.map((hop) => hopJson(hop, one)),
    hopsNotRead: route.more,
    fields: tellingFields(one).map((field) => ({ ...field })),
    authentication: authenticationJson(authentication),
    findings: findings.map(findingJson),
    notEvidence: dropped.map(findingJson),
  };
}

function hopJson(hop: Hop, { delays }: Examined): Json {
  const { number, zone, why, line } = hop;
  const delay = delays.find((one) => one.number === number);
  return {
    number,
    zone,
    why,
    ...lineJson(line),
    delayMs: delay?.ms ?? null,
    toleranceMs: delay?.toleranceMs ?? null,
    raw: quoteText(hop.field.value),
  };
}

function lineJson(line: ReceivedLine): JsonObject {
  const { helo, rdns, ip, ident, by, byIp, via, tls, cipher, login, id, envelopeFrom } = line;
  const parts = { helo, rdns, ip, ident, by, byIp, with: line.with, via, tls, cipher, login, id };
  const fields: Record<string, Json> = {};
  for (const [name, read] of Object.entries({ ...parts, for: line.for, envelopeFrom })) {
    if (read !== undefined)
      fields[name] = { text: quoteText(read.text), confidence: read.confidence };
  }
  const { date, product, secured, structure, oddities } = line;
  return {
    ...fields,
    ...(product && { product: product.name, productVersion: product.version ?? null }),
    secured: secured ?? null,
    date: date === undefined ? null : isoDate(date.ms),
    zoneMinutes: date?.zoneMinutes ?? null,
    structure,
    oddities,
  };
}

function authenticationJson(authentication: Examined['authentication']): JsonObject {
  const { author, mailFrom, spf, dmarc, signatures, fields, aligned, unknown } = authentication;
  return {
    author: author.kind === 'author' ? author.domain : null,
    authorWhy: author.kind === 'author' ? null : author.why,
    mailFrom: mailFrom ?? null,
    spf: { result: spf.result, domain: spf.domain ?? null, why: spf.why },
    dkim: signatures.dkim.map(({ repair, ...one }) => ({
      domain: one.domain ?? null,
      selector: one.selector ?? null,
      algorithm: one.algorithm ?? null,
      status: one.status,
      reason: one.reason,
      bodyMatches: one.bodyMatches ?? null,
      signedFields: one.signedFields,
      unsignedBytes: one.unsignedBytes ?? null,
      repair: repair === undefined ? null : { ...repair },
    })),
    dkimNotLookedAt: signatures.notLookedAt,
    arc: {
      status: signatures.arc.status,
      reason: signatures.arc.reason,
      sets: signatures.arc.sets.map(({ instance, sealer, results }) => ({
        instance,
        sealer,
        results: quoteText(results),
      })),
    },
    dmarc: { ...dmarc },
    results: fields.map(({ field, authservId, standing, why, results }) => ({
      authservId: authservId ?? null,
      standing,
      why,
      results: results.map(({ method, result, properties }) => ({
        method,
        result,
        properties: properties.map(
          ({ type, name, value }) => `${type}.${name}=${quoteText(value)}`,
        ),
      })),
      raw: quoteText(field.value),
    })),
    aligned: aligned.map((one) => ({ ...one })),
    unknown,
  };
}

function findingJson({ sign, strength, seen, rates }: Finding): Json {
  return {
    id: sign.id,
    title: sign.title,
    strength,
    text: seen.text,
    quotes: seen.quotes.map(quoteText),
    innocent: sign.innocent ?? null,
    baseRates: rates === undefined ? null : { ...rates },
  };
}

function isoDate(ms: number): string | null {
  return Math.abs(ms) > 8.64e15 ? null : new Date(ms).toISOString();
}
