/** Where answers of the DNS come from: live, out of an evidence bundle, or not at all. */

import type { Lookup, Resolver, TlsaRecord } from '#base/world.ts';

/** Answers by question, `TXT sel._domainkey.example.org`: plain data, kept in full. */
export type Answers = Map<string, Answer>;

/** As a Lookup, records as text; failures are kept too: they are evidence of nothing else. */
export type Answer =
  | {
      readonly kind: 'found';
      readonly records: readonly string[];
      readonly ttlSeconds: number;
      readonly authentic: boolean;
    }
  | { readonly kind: 'none'; readonly why: 'nxdomain' | 'nodata'; readonly authentic: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

/** Questions that one bundle keeps. */
const ANSWERS = 100_000;

export const NOT_ASKED = 'the DNS was not asked';
export const NOT_IN_EVIDENCE = 'not in the evidence';

/** Nothing is asked: every question fails with the reason. */
export function silentResolver(reason: string = NOT_ASKED): Resolver {
  const failed = async (): Promise<{ kind: 'failed'; reason: string }> => ({
    kind: 'failed',
    reason,
  });
  return {
    mx: failed,
    a: failed,
    aaaa: failed,
    txt: failed,
    ptr: failed,
    tlsa: failed,
    srv: failed,
    caa: failed,
  };
}

/** Answers of a bundle; what is not in it goes to `beyond`. */
export function replayResolver(answers: ReadonlyMap<string, Answer>, beyond: Resolver): Resolver {
  const text = (type: string, ask: (name: string) => Promise<Lookup<string>>) => {
    return async (name: string): Promise<Lookup<string>> =>
      answers.get(questionOf(type, name)) ?? ask(name);
  };
  return {
    a: text('A', (name) => beyond.a(name)),
    aaaa: text('AAAA', (name) => beyond.aaaa(name)),
    txt: text('TXT', (name) => beyond.txt(name)),
    ptr: text('PTR', (name) => beyond.ptr(name)),
    mx: async (name) => {
      const answer = answers.get(questionOf('MX', name));
      if (answer === undefined) return beyond.mx(name);
      if (answer.kind !== 'found') return answer;
      return { ...answer, records: answer.records.map(readMx) };
    },
    tlsa: (name): Promise<Lookup<TlsaRecord>> => beyond.tlsa(name),
    srv: (name) => beyond.srv(name),
    caa: (name) => beyond.caa(name),
  };
}

/** Asks `inner` and keeps each answer, so that the same can be said again years later. */
export function recordingResolver(inner: Resolver, kept: Answers): Resolver {
  const keep = (type: string, name: string, answer: Answer): void => {
    if (kept.size < ANSWERS) kept.set(questionOf(type, name), answer);
  };
  const text = (type: string, ask: (name: string) => Promise<Lookup<string>>) => {
    return async (name: string): Promise<Lookup<string>> => {
      const answer = await ask(name);
      keep(type, name, answer);
      return answer;
    };
  };
  return {
    a: text('A', (name) => inner.a(name)),
    aaaa: text('AAAA', (name) => inner.aaaa(name)),
    txt: text('TXT', (name) => inner.txt(name)),
    ptr: text('PTR', (name) => inner.ptr(name)),
    mx: async (name) => {
      const answer = await inner.mx(name);
      const records = answer.kind === 'found' ? answer.records.map(showMx) : [];
      keep('MX', name, answer.kind === 'found' ? { ...answer, records } : answer);
      return answer;
    },
    tlsa: (name) => inner.tlsa(name),
    srv: (name) => inner.srv(name),
    caa: (name) => inner.caa(name),
  };
}

export function questionOf(type: string, name: string): string {
  return `${type} ${name.toLowerCase().replace(/\.$/, '')}`;
}

interface Mx {
  readonly preference: number;
  readonly exchange: string;
}

function showMx({ preference, exchange }: Mx): string {
  return `${preference} ${exchange}`;
}

function readMx(text: string): Mx {
  const [preference = '0', exchange = ''] = text.split(' ', 2);
  return { preference: Number(preference), exchange };
}
