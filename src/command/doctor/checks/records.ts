/** Each DNS record of each local domain, as it is published against as it should be. */

import { parseDomain } from '#base/domain.ts';
import type { Lookup } from '#base/world.ts';
import { isDmarcRecord, parseDmarcRecord } from '#trust/dmarc/record.ts';
import { readStsRecords } from '#trust/mta-sts/record.ts';
import { checkHost } from '#trust/spf/check.ts';
import { isSpfRecord } from '#trust/spf/record.ts';
import { readTlsRptRecords } from '#trust/tls-rpt/record.ts';
import { publishesKey } from '../../dkim/steps.ts';
import type { DnsRecord } from '../../setup/records.ts';
import { recordsOf } from '../../setup/run.ts';
import {
  bad,
  better,
  type Diagnosis,
  type DoctorCheck,
  type DoctorGround,
  good,
  unknown,
} from '../check.ts';

const DOMAINS = 200;

export const records: DoctorCheck = {
  name: 'records',
  run: async (ground) => {
    const { settings, directory, addresses, world } = ground;
    const hostname = parseDomain(settings.myhostname);
    if (hostname === undefined) return [];
    const found: Diagnosis[] = [];
    if (directory.domains().length === 0) {
      return [unknown('records', 'there is no domain here', 'Run: postern setup example.org')];
    }
    for (const { name: domain } of directory.domains().slice(0, DOMAINS)) {
      const plan = {
        domain,
        hostname,
        ipv4: addresses.filter((one) => !one.includes(':')),
        ipv6: addresses.filter((one) => one.includes(':')),
        dataDirectory: settings.data_directory,
      };
      const wanted = recordsOf(plan, settings, world.clock.now());
      // The host's own records are the same for every domain.
      const fresh = wanted.filter(
        ({ name, type }) => !found.some(({ about }) => about === aboutOf({ name, type })),
      );
      for (const record of fresh) found.push(await judge(record, ground));
    }
    return found;
  },
};

function aboutOf({ name, type }: Pick<DnsRecord, 'name' | 'type'>): string {
  return `records ${name} ${type}`;
}

async function judge(record: DnsRecord, ground: DoctorGround): Promise<Diagnosis> {
  const about = aboutOf(record);
  const cure = `Publish: ${record.name}. ${record.type} ${record.value}`;
  const told = await compare(record, ground);
  if (told.kind === 'failed') {
    return unknown(about, `the DNS does not answer: ${told.reason}`, 'Try again later.');
  }
  if (told.kind === 'right') return good(about, told.seen);
  return record.need === 'may' ? better(about, told.seen, cure) : bad(about, told.seen, cure);
}

type Compared =
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'right' | 'wrong'; readonly seen: string };

async function compare(record: DnsRecord, ground: DoctorGround): Promise<Compared> {
  const { resolver } = ground.world;
  const { name, type, value } = record;
  switch (type) {
    case 'MX': {
      const host = value.split(' ')[1]?.replace(/\.$/, '') ?? '';
      return among(await resolver.mx(name), ({ exchange }) => exchange, host);
    }
    case 'A':
      return among(await resolver.a(name), (one) => one, value);
    case 'AAAA':
      return among(await resolver.aaaa(name), (one) => one, value);
    case 'SRV':
      return among(
        await resolver.srv(name),
        ({ priority, weight, port, target }) =>
          `${priority} ${weight} ${port} ${target}.`.replace('..', '.'),
        value,
      );
    case 'CAA':
      return among(await resolver.caa(name), (one) => `0 ${one.tag} "${one.value}"`, value);
    case 'TLSA':
      return among(
        await resolver.tlsa(name),
        ({ usage, selector, matching, data }) =>
          `${usage} ${selector} ${matching} ${Buffer.from(data).toString('hex')}`,
        value,
      );
    case 'CNAME': {
      const answer = await resolver.a(name);
      if (answer.kind === 'failed') return answer;
      return answer.kind === 'found'
        ? { kind: 'right', seen: `leads to ${answer.records[0]}` }
        : { kind: 'wrong', seen: 'leads nowhere' };
    }
    case 'TXT':
      return compareText(record, await resolver.txt(name), ground);
  }
}

function among<T>(answer: Lookup<T>, show: (record: T) => string, wanted: string): Compared {
  if (answer.kind === 'failed') return { kind: 'failed', reason: answer.reason };
  if (answer.kind === 'none') return { kind: 'wrong', seen: 'is not published' };
  const shown = answer.records.map(show);
  return shown.some((one) => one.toLowerCase() === wanted.toLowerCase())
    ? { kind: 'right', seen: 'is published' }
    : { kind: 'wrong', seen: `is published as ${shown.slice(0, 3).join(', ')}` };
}

/** Texts may differ in words and say the same: what they mean is compared. */
async function compareText(
  { name, value }: DnsRecord,
  answer: Lookup<string>,
  ground: DoctorGround,
): Promise<Compared> {
  if (answer.kind === 'failed') return { kind: 'failed', reason: answer.reason };
  const texts = answer.kind === 'found' ? answer.records : [];
  if (value.startsWith('v=spf1')) return compareSpf(name, texts.filter(isSpfRecord), ground);
  if (value.startsWith('v=DMARC1')) {
    const text = texts.find(isDmarcRecord);
    if (text === undefined) return { kind: 'wrong', seen: 'is not published' };
    const { policy, unusable } = parseDmarcRecord(text);
    if (unusable !== undefined) return { kind: 'wrong', seen: unusable };
    return policy === 'none'
      ? { kind: 'wrong', seen: 'asks for nothing (p=none)' }
      : { kind: 'right', seen: `is published with p=${policy}` };
  }
  if (value.startsWith('v=TLSRPTv1')) {
    const places = readTlsRptRecords(texts);
    return places.length > 0
      ? { kind: 'right', seen: 'is published' }
      : { kind: 'wrong', seen: 'is not published' };
  }
  if (value.startsWith('v=STSv1')) {
    const record = readStsRecords(texts);
    if (record.kind === 'record') return { kind: 'right', seen: `is published, id ${record.id}` };
    return { kind: 'wrong', seen: record.kind === 'none' ? 'is not published' : record.why };
  }
  if (texts.length === 0) return { kind: 'wrong', seen: 'is not published' };
  return texts.some((text) => publishesKey(text, value))
    ? { kind: 'right', seen: 'is published' }
    : { kind: 'wrong', seen: 'is published with another key' };
}

/** The record need not be ours: it must let this server pass. */
async function compareSpf(
  domain: string,
  texts: readonly string[],
  { world, addresses, settings }: DoctorGround,
): Promise<Compared> {
  if (texts.length !== 1) {
    return { kind: 'wrong', seen: texts.length === 0 ? 'is not published' : 'is there twice' };
  }
  const { resolver, clock } = world;
  for (const ip of addresses) {
    const helo = settings.myhostname;
    const question = { ip, domain, sender: `postmaster@${domain}`, helo, resolver, clock };
    const { result, why } = await checkHost(question);
    if (result === 'temperror') return { kind: 'failed', reason: why };
    if (result !== 'pass') return { kind: 'wrong', seen: `gives ${result} for ${ip}: ${why}` };
  }
  return { kind: 'right', seen: addresses.length > 0 ? 'lets this server pass' : 'is published' };
}
