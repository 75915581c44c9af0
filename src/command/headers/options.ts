/** The options of `postern headers` as what the examination needs. */

import { parseDomain } from '#base/domain.ts';
import type { MboxForm } from '#forensics/input/mbox.ts';
import { type Network, likelyOrganization, parseNetwork } from '#forensics/names/domains.ts';
import type { Anchors } from '#forensics/route/route.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';

export interface HeaderOptions {
  readonly anchors: Anchors;
  readonly known: readonly string[];
  readonly form: MboxForm | undefined;
  readonly headerOnly: boolean;
  readonly all: boolean;
}

/** Reads them; a CommandError says what is wrong with one. */
export function headerOptions(context: Context): HeaderOptions {
  const trustedMx = listOf(context, 'trusted-mx').map((text) => hostOf(text, '--trusted-mx'));
  return {
    anchors: {
      trustedMx,
      trustedNets: listOf(context, 'trusted-net').map(networkOf),
      authservIds: listOf(context, 'authserv-id'),
    },
    known: [...new Set([...listOf(context, 'known').map(bareDomain), ...trustedMx.map(ownDomain)])],
    form: formOf(option(context, 'mbox')),
    headerOnly: context.options.has('header-only'),
    all: context.options.has('all'),
  };
}

/** What stands in an evidence bundle about what was trusted. */
export function anchorTexts({ trustedMx, trustedNets, authservIds }: Anchors): readonly string[] {
  return [
    ...trustedMx.map((host) => `mx ${host}`),
    ...trustedNets.map(({ text }) => `net ${text}`),
    ...authservIds.map((id) => `authserv-id ${id}`),
  ];
}

function listOf(context: Context, name: string): readonly string[] {
  const text = option(context, name) ?? '';
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function hostOf(text: string, flag: string): string {
  if (parseDomain(text.replace(/^\*?\./, '')) !== undefined) return text.toLowerCase();
  throw new CommandError(
    EXIT.usage,
    `${flag} ${text}: is no host`,
    'Write it like mx.example.org.',
  );
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network !== undefined) return network;
  const cure = 'Write it like 192.0.2.0/24 or 2001:db8::/32.';
  throw new CommandError(EXIT.usage, `--trusted-net ${text}: is no network`, cure);
}

function bareDomain(text: string): string {
  return text.toLowerCase().replace(/^\*?\./, '');
}

/** What others imitate is the domain of our hosts, not their names: `mail` stands in many. */
function ownDomain(host: string): string {
  return likelyOrganization(bareDomain(host));
}

function formOf(text: string | undefined): MboxForm | undefined {
  if (text === undefined || text === 'o' || text === 'rd' || text === 'cl' || text === 'cl2') {
    return text;
  }
  throw new CommandError(EXIT.usage, `--mbox ${text}: is none of o, rd, cl, cl2`);
}
