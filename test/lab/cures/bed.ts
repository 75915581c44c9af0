/** Where cures are tried: a server's own file system, with what an operator has beside the lines. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Cure } from '#audit/check.ts';
import { labCertificates } from '../certificates.ts';
import { DOMAIN, HOST, Root } from '../root.ts';
import type { Server, ServerPlan } from '../server.ts';
import { mend } from './mend.ts';

/** A mounted root for a server, in a folder in memory. */
export function mountBed(cache: string, work: string, server: Server, name: string): Promise<Root> {
  const folder = path.join(work, name);
  mkdirSync(folder, { recursive: true });
  return Root.mount(cache, server.layer, folder, labCertificates(HOST, DOMAIN).of);
}

export interface Written {
  /** Of the configuration, for `--config`. */
  readonly file: string | undefined;
  /** Other files than the configuration become what they were. */
  restore(): void;
}

/** Writes the plan with the cure in it, or as it is. */
export async function writeMended(
  root: Root,
  server: Server,
  plan: ServerPlan,
  cure: Cure | undefined,
): Promise<Written> {
  writeCertificates(root, server, plan.settings);
  if (cure === undefined) return { file: await server.write(root, plan), restore: () => undefined };
  const mended = mend(plan, cure);
  writeCertificates(root, server, cure.lines.join('\n'));
  const file = await server.write(root, mended);
  const before = [...mended.files.keys()].map((name) => [name, root.read(name)] as const);
  for (const [name, text] of mended.files) root.write(name, withEntries(root.read(name), text));
  for (const command of mended.commands) await root.run('sh', '-c', command);
  return {
    file,
    restore() {
      for (const [name, text] of before) root.write(name, text);
    },
  };
}

/** Entries of a table or of aliases, instead of those with the same name. */
function withEntries(before: string, added: string): string {
  const names = new Set(added.split('\n').map(nameOf));
  const kept = before.split('\n').filter((line) => line !== '' && !names.has(nameOf(line)));
  return [...kept, added].join('\n');
}

/** Whoever is told to name a certificate has one there, with a key that its server may read. */
function writeCertificates(root: Root, { layer }: Server, text: string): void {
  for (const [file] of text.matchAll(/\/[\w./-]+\.(?:pem|crt|key)\b/g)) {
    if (root.read(file) !== '') continue;
    const isKey = /key/.test(file);
    const isCertificate = !isKey || /cert/.test(file);
    const own = [...(isKey ? ['key'] : []), ...(isCertificate ? ['cert'] : [])];
    // A key of the lab's, for those who take none that others may read.
    const kept = root.read(file.replace(/-key\.pem$/, '.key'));
    const fresh = own.map((name) => root.read(`/etc/lab/${name}.pem`)).join('');
    const content = kept === '' ? fresh : kept;
    // Exim reads it with its own rights; the others want it read by nobody else.
    root.write(file, content, layer === 'exim' ? 0o644 : 0o600);
  }
}

function nameOf(line: string): string {
  return /^[^\s:]+/.exec(line)?.[0] ?? line;
}
