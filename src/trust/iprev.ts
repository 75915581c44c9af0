/** iprev (RFC 8601 3): does a name of the client's address lead back to the address? */

import { visible } from '#base/bytes.ts';
import type { Clock } from '#base/world.ts';
import { inNetwork, parseIp } from '#base/ip.ts';
import { isQueryName, plainName } from './names.ts';
import { type Asked, type DnsFact, Questions } from './questions.ts';

export interface IprevQuestion {
  readonly ip: string;
  readonly resolver: Asked;
  /** For the deadline; without it there is none. */
  readonly clock?: Clock | undefined;
  readonly limits?: IprevLimits;
}

export interface IprevLimits {
  /** Names that are looked up (RFC 8601 3). Default 10. */
  readonly names?: number;
  /** Milliseconds for all of it. Default 10,000. */
  readonly totalMs?: number;
}

export interface IprevOutcome {
  /** `permerror`: the address has no name. `fail`: none of its names leads back. */
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror';
  /** The name that leads back, plain: what may stand in Received as the client's name. */
  readonly name: string | undefined;
  /** All names of the address, as far as they were looked at: the client's claim. */
  readonly claimed: readonly string[];
  readonly why: string;
  readonly lookups: readonly DnsFact[];
}

/**
 * Checks an address. Never fails. Names that are no names of the DNS are left out. A name that
 * leads back is a pass, whatever the others do; else one without an answer is `temperror`.
 */
export async function checkIprev(question: IprevQuestion): Promise<IprevOutcome> {
  const { resolver, clock, limits = {} } = question;
  const questions = new Questions({ resolver, clock, totalMs: limits.totalMs ?? 10_000 });
  const outcome = (
    result: IprevOutcome['result'],
    why: string,
    claimed: readonly string[] = [],
    name?: string,
  ): IprevOutcome => ({
    result,
    name,
    claimed: claimed.map((one) => visible(one)),
    why: visible(why),
    lookups: questions.facts,
  });
  const ip = parseIp(question.ip);
  if (ip === undefined) return outcome('permerror', 'no IP address');
  const pointers = await questions.ptr(ip.text);
  if (pointers.kind === 'failed') return outcome('temperror', `PTR: ${pointers.reason}`);
  const records = pointers.kind === 'none' ? [] : pointers.records;
  const names = [...new Set(records.map(plainName).filter(isHostName))].slice(
    0,
    limits.names ?? 10,
  );
  if (names.length === 0) return outcome('permerror', 'the address has no name');
  let trouble: string | undefined;
  for (const name of names) {
    const answer = await (ip.family === 4 ? questions.a(name) : questions.aaaa(name));
    if (answer.kind === 'failed') trouble = `${name}: ${answer.reason}`;
    if (answer.kind !== 'found') continue;
    const back = answer.records.some((text) => {
      const address = parseIp(text);
      return address !== undefined && inNetwork(ip, address, ip.family === 4 ? 32 : 128);
    });
    if (back) return outcome('pass', `${name} leads back`, names, name);
  }
  if (trouble !== undefined) return outcome('temperror', trouble, names);
  return outcome('fail', 'no name leads back', names);
}

/** A PTR record may hold anything; only what is a host's name is worth a question. */
function isHostName(name: string): boolean {
  return isQueryName(name) && /^[a-z0-9._-]+$/.test(name);
}
