/** For tests: messages to be examined, and examinations without a network. */

import { fromLatin1 } from '#base/bytes.ts';
import type { Resolver } from '#base/world.ts';
import { silentResolver } from './authentication/dns.ts';
import { type ExamineOptions, type Examined, examine } from './examine.ts';
import { parseNetwork } from './names/domains.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 9, 0, 30);
/** The line of our own border host, about a client that it saw. */
export const BOUNDARY =
  'Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n' +
  '\tby mx.us.test (Postfix) with ESMTPS id 4F2A81C0F3\r\n' +
  '\tfor <bob@us.test>; Sun, 22 Nov 2026 09:00:05 +0000 (UTC)\r\n';

export interface Trust {
  readonly mx?: readonly string[];
  readonly net?: readonly string[];
  readonly ids?: readonly string[];
  readonly known?: readonly string[];
  readonly resolver?: Resolver;
  readonly headerOnly?: boolean;
}

export const US: Trust = { mx: ['mx.us.test'], ids: ['mx.us.test'] };

export function examineOptions(trust: Trust = {}): ExamineOptions {
  return {
    anchors: {
      trustedMx: trust.mx ?? [],
      trustedNets: (trust.net ?? []).flatMap((text) => parseNetwork(text) ?? []),
      authservIds: trust.ids ?? [],
    },
    known: trust.known ?? [],
    resolver: trust.resolver ?? silentResolver(),
    asks: trust.resolver !== undefined,
    nowMs: NOW_MS,
    headerOnly: trust.headerOnly ?? false,
  };
}

/** Examines text, octets as latin1. */
export function examined(text: string, trust: Trust = US): Promise<Examined> {
  return examine('test', fromLatin1(text), examineOptions(trust));
}

/** An ordinary message: fields given here take the place of its own, '' takes one away. */
export function message(
  fields: Readonly<Record<string, string>> = {},
  options: { readonly top?: string; readonly boundary?: string; readonly body?: string } = {},
): string {
  const all = new Map([
    ['From', 'Alice <alice@example.org>'],
    ['To', 'bob@us.test'],
    ['Subject', 'Hello'],
    ['Date', 'Sun, 22 Nov 2026 09:00:00 +0000'],
    ['Message-ID', '<1@example.org>'],
    ...Object.entries(fields),
  ]);
  const lines = [...all].flatMap(([name, value]) =>
    value === '' ? [] : [`${name}: ${value}\r\n`],
  );
  const { top = '', boundary = BOUNDARY, body = 'Hi.\r\n' } = options;
  return `${top}${boundary}${lines.join('')}\r\n${body}`;
}

/** What was found, by the sign's id. */
export function ids({ conclusions }: Examined): readonly string[] {
  return [...new Set(conclusions.findings.map(({ sign }) => sign.id))];
}
