/** `postern audit replay`: the same questions again, each answer beside the one that was saved. */

import { LEVELS } from '#audit/check.ts';
import { jsonText } from '#audit/formats/json.ts';
import { keyOf } from '#audit/compare.ts';
import { type Finding, isFound } from '#audit/finding.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import type { Report } from '#audit/report.ts';
import { isChosen } from '#audit/run/request.ts';
import { placeName } from '#audit/verdict.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import { posternVersion } from '../commands/version.ts';
import { AUDIT_EXIT, type ExitStatus } from '../exit.ts';
import { harmless } from '../io.ts';
import * as read from './options.ts';
import { performed } from './run.ts';
import { savedReport } from './saved.ts';
import { auditWorld } from './world.ts';

interface Row {
  readonly before: Finding;
  readonly now: Finding | undefined;
  readonly same: boolean;
}

/** 0 when every verdict is the same, 1 when one differs, 2 when one could not be told again. */
export async function runReplay(context: Context): Promise<ExitStatus> {
  const saved = savedReport(argument(context, 'file'));
  const rows = rowsFor(context, saved);
  const known = new Set<string>(checksOf(PROBES).map(({ id }) => id));
  const ids = [...new Set(rows.map(({ id }) => id))].filter((id) => known.has(id));
  if (ids.length === 0) throw read.usage('the report has no finding to be tried again');
  const world = auditWorld(context);
  const { request } = saved;
  const level = LEVELS.find((one) => one === request.level) ?? 'safe';
  const ports = new Map<string, Set<number>>();
  for (const { target } of rows) {
    if (target.port > 0)
      ports.set(target.address, (ports.get(target.address) ?? new Set()).add(target.port));
  }
  const report = await performed(
    context,
    {
      target: saved.target,
      // Only where something was found; hosts whose findings have no port are looked at whole.
      places: request.places.map((place) => ({
        ...place,
        ports: narrowed(place.ports, ports.get(place.address), rows),
      })),
      domains: request.domains,
      level,
      authorisedBy: option(context, 'authorised-by'),
      probes: PROBES,
      only: ids,
      options: {
        source: read.sourceOf(context) ?? request.source,
        heloName: 'audit.invalid',
        names: [],
        knownUser: undefined,
        account: await read.accountOf(context),
        canary: undefined,
        selectors: request.selectors ?? [],
      },
      version: posternVersion(),
    },
    world,
  );
  if (report === undefined) return AUDIT_EXIT.refused;
  return told(context, compared(rows, report));
}

/** What was found, or what `checks` names. */
function rowsFor(context: Context, saved: Report): readonly Finding[] {
  if (context.rest.length === 0) return saved.findings.filter(isFound);
  const chosen = saved.findings.filter(({ id }) => isChosen(id, { only: context.rest }));
  if (chosen.length > 0) return chosen;
  throw read.usage(`the report has no finding ${context.rest.join(', ')}`);
}

function narrowed(
  all: readonly number[],
  own: ReadonlySet<number> | undefined,
  rows: readonly Finding[],
): readonly number[] {
  return rows.some(({ target }) => target.port === 0) ? all : all.filter((port) => own?.has(port));
}

function compared(rows: readonly Finding[], report: Report): readonly Row[] {
  const again = new Map(report.findings.map((finding) => [keyOf(finding), finding]));
  return rows.map((before) => {
    const now = again.get(keyOf(before));
    const same = now?.confidence === before.confidence && now.severity === before.severity;
    return { before, now, same };
  });
}

function told(context: Context, rows: readonly Row[]): ExitStatus {
  if (context.json) {
    const results = rows.map(({ before, now, same }) => ({
      id: before.id,
      target: before.target,
      same,
      before: before.confidence,
      now: now?.confidence ?? null,
      seen: now?.seen ?? null,
      evidence: now?.evidence ?? [],
    }));
    context.io.write(`${jsonText({ same: rows.every(({ same }) => same), results })}\n`);
  } else for (const row of rows) context.io.write(lineFor(row));
  const unclear = rows.some(({ now }) => now === undefined || now.confidence === 'inconclusive');
  if (rows.every(({ same }) => same)) return AUDIT_EXIT.pass;
  return unclear ? AUDIT_EXIT.inconclusive : AUDIT_EXIT.findings;
}

function lineFor({ before, now, same }: Row): string {
  const place = placeName(before.target);
  const was = `${before.severity}, ${before.confidence}`;
  const is = now === undefined ? 'not reached' : `${now.severity}, ${now.confidence}`;
  const words = same ? `the same (${was})` : `was ${was}; is ${is}`;
  return harmless(`${before.id} ${place}: ${words}: ${now?.seen ?? ''}`) + '\n';
}
