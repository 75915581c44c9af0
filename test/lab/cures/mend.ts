/** A weak plan and a cure of the auditor: the plan with the cure's lines where they say they belong. */

import type { Cure, Product } from '#audit/check.ts';
import { type Part, readCure } from '#audit/cure.ts';
import type { ServerPlan } from '../server.ts';

/** What is started, and beside its own files what the cure writes into others. */
export interface Mended extends ServerPlan {
  /** Appended to what is there. */
  readonly files: ReadonlyMap<string, string>;
  /** Run inside, behind the writing. */
  readonly commands: readonly string[];
}

type Draft = {
  address: string;
  settings: string;
  services: string;
  files: Map<string, string>;
  commands: string[];
};

/** Puts one part into the draft; false where the place is not known. */
type Placing = (draft: Draft, part: Part) => boolean;

/** Throws where a cure names a place that nobody here knows: nothing is left out silently. */
export function mend(plan: ServerPlan, cure: Cure): Mended {
  const draft: Draft = { ...plan, files: new Map(), commands: [] };
  const place = PLACINGS[cure.product];
  for (const part of readCure({ lines: cure.lines.map(filledIn(plan.address)) }).parts) {
    if (anywhere(draft, part) || place?.(draft, part) === true) continue;
    throw new Error(`${cure.product}: nobody knows the place "${part.place}"`);
  }
  return draft;
}

/** What an operator writes instead of the examples. */
function filledIn(address: string): (line: string) => string {
  return (line) =>
    line
      .replaceAll('mail.example.org', 'mx.lab.test')
      .replaceAll('example.org', 'lab.test')
      .replaceAll('0.0.0.0 ', `${address} `)
      .replaceAll('egress', address);
}

/** Files by their path, and what is run. */
const anywhere: Placing = (draft, { place, lines }) => {
  if (place === 'then run' || place === 'first run') draft.commands.push(...lines);
  else if (place.startsWith('/')) {
    // `/etc/mail/helpfile, instead of what is there`: entries of the same name go in any case.
    const file = place.split(',', 1)[0] ?? place;
    draft.files.set(file, `${draft.files.get(file) ?? ''}${lines.join('\n')}\n`);
  } else return false;
  return true;
};

const PLACINGS: Readonly<Partial<Record<Product, Placing>>> = {
  postfix(draft, { place, lines }) {
    const service = /^master\.cf, (?:under|behind) (\w+)$/.exec(place)?.[1];
    if (place === 'master.cf') draft.services = `${draft.services}\n${lines.join('\n')}`;
    else if (place === '') draft.settings = `${draft.settings}\n${lines.join('\n')}`;
    else if (service !== undefined) draft.services = underService(draft.services, service, lines);
    else return false;
    return true;
  },
  exim(draft, { place, lines }) {
    const part = EXIM_PARTS.get(place);
    if (part === undefined) return false;
    const own = `[${part}]\n${lines.join('\n')}`;
    // Parts are put together in the order in which they stand.
    const first = place.includes('first in');
    draft.settings = first ? `${own}\n[main]\n${draft.settings}` : `${draft.settings}\n${own}`;
    return true;
  },
  opensmtpd(draft, { place, lines }) {
    if (place !== '') return false;
    draft.settings = insteadOf(draft.settings, lines);
    return true;
  },
  sendmail(draft, { place, lines }) {
    if (place !== '') return false;
    draft.settings = `${draft.settings}\n${lines.join('\n')}`;
    return true;
  },
  dovecot(draft, { place, lines }) {
    if (place !== '') return false;
    draft.settings = `${draft.settings}\n${lines.join('\n')}`;
    return true;
  },
};

/** Where the cures of Exim belong, and the part of a profile that stands there. */
const EXIM_PARTS: ReadonlyMap<string, string> = new Map([
  ['', 'main'],
  ['begin acl, first in acl_check_rcpt', 'rcpt'],
  ['begin acl, first in acl_check_data', 'data'],
  ['begin acl', 'acls'],
]);

/** More `-o` lines for one row of master.cf; port numbers count as names. */
function underService(services: string, name: string, lines: readonly string[]): string {
  const ports = new Map([
    ['submission', ':587'],
    ['smtp', ':25'],
  ]);
  const rows = services.split('\n').flatMap((row) => {
    const own = /^\S+/.exec(row)?.[0] ?? '';
    return own === name || own.endsWith(ports.get(name) ?? name) ? [row, ...lines] : [row];
  });
  return rows.join('\n');
}

/** Listeners and rules are lists in which the first counts: those of the cure stand instead. */
function insteadOf(settings: string, lines: readonly string[]): string {
  const kinds = new Set(lines.map(kindOf).filter((kind) => kind !== ''));
  const rest = settings.split('\n').filter((line) => !kinds.has(kindOf(line)));
  const isMatch = (line: string): boolean => kindOf(line) === 'match';
  // What a rule or listener names must stand before it.
  return [...lines.filter((line) => !isMatch(line)), ...rest, ...lines.filter(isMatch)].join('\n');
}

function kindOf(line: string): string {
  return /^(?:listen|match)\b/.exec(line)?.[0] ?? '';
}
