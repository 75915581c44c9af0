/** One restriction list judged over a zone and tables in memory. */

import assert from 'node:assert/strict';
import { parseAddress } from '#base/address.ts';
import type { Address } from '#base/address.ts';
import type { AccountId, Domain } from '#base/brand.ts';
import { parseAccessTable } from '#policy/access/parse.ts';
import type { CheckFacts, Verdict } from '#policy/checks/check.ts';
import type { ClientFacts } from '#policy/gate.ts';
import type { Inquiry } from '#policy/inquiry.ts';
import type { Memory } from '#policy/limits/memory.ts';
import { judgeList } from '#policy/restrictions/gate.ts';
import { parseRestrictions } from '#policy/restrictions/parse.ts';
import type { RestrictionList } from '#policy/restrictions/parse.ts';
import type { Account } from '#store/directory.ts';
import { zoneResolver } from '../vectors/zone.ts';
import type { Zone } from './inquiry.ts';
import { inquiryOf } from './inquiry.ts';

/** By default a stranger's honest mail for alice@demo.test. */
export interface JudgedCase {
  readonly list: readonly string[];
  readonly zone?: Zone;
  readonly ip?: string;
  readonly helo?: string;
  readonly from?: string;
  readonly to?: string;
  readonly impatient?: boolean;
  readonly tables?: Readonly<Record<string, string>>;
  /** What `reject_dmarc` remembers. */
  readonly open?: Memory;
}

/** The verdict, what was noted, and what the DNS was asked. */
export async function judge(
  one: JudgedCase,
  given?: Inquiry,
  list: RestrictionList = 'smtpd_recipient_restrictions',
): Promise<{ verdict: Verdict; inquiry: Inquiry; questions: readonly string[] }> {
  const resolver = zoneResolver(one.zone ?? {});
  const inquiry = given ?? inquiryOf(resolver);
  const parsed = parseRestrictions(one.list, list, {
    table: (name) => {
      const path = name.replace(/^[a-z]+:/, '');
      const text = one.tables?.[path] ?? '';
      const table = parseAccessTable(text, name.startsWith('cidr:') ? 'cidr' : 'hash');
      return table.kind === 'table' ? () => table.table : JSON.stringify(table.errors);
    },
    open: one.open,
  });
  assert.ok(parsed.kind === 'restrictions', JSON.stringify(parsed));
  const verdict = await judgeList(parsed.checks, factsOf(one, inquiry));
  return { verdict, inquiry, questions: resolver.questions };
}

function factsOf(one: JudgedCase, inquiry: Inquiry): CheckFacts {
  const client: ClientFacts = {
    address: one.ip ?? '203.0.113.5',
    helo: one.helo ?? 'mx.sender.test',
    extended: true,
    secure: undefined,
    login: undefined,
    impatient: one.impatient ?? false,
  };
  const from = one.from ?? 'x@sender.test';
  const questions = inquiry.questions();
  return {
    client,
    inMynetworks: false,
    sender: from === '' ? null : address(from),
    recipient: address(one.to ?? 'alice@demo.test'),
    recipients: [],
    directory,
    addresses: { delimiters: '+' },
    questions,
    inquiry,
  };
}

function address(text: string): Address {
  return parseAddress(text) ?? assert.fail(text);
}

/** `dunno`, `permit`, or `450 4.4.3`. */
export function summary(verdict: Verdict): string {
  if (verdict.kind !== 'reject' && verdict.kind !== 'defer') return verdict.kind;
  return `${verdict.reply.code} ${verdict.reply.enhanced}`;
}

const alice: Account = {
  id: 1 as AccountId,
  address: 'alice@demo.test',
  enabled: true,
  createdMs: 0,
};
const demo = { name: 'demo.test' as Domain, catchAll: undefined };
const directory = {
  domains: () => [demo],
  domain: (name: Domain) => (name === demo.name ? demo : undefined),
  accounts: () => [alice],
  account: (key: string) => (key === alice.address ? alice : undefined),
  alias: () => undefined,
};
