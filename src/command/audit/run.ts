/** Runs `postern audit`: options to a request, the run, then every report that was asked for. */

import { PROBES } from '#audit/probes/all.ts';
import { htmlText } from '#audit/formats/html.ts';
import { jsonText } from '#audit/formats/json.ts';
import { junitText } from '#audit/formats/junit.ts';
import { sarifText } from '#audit/formats/sarif.ts';
import type { Report } from '#audit/report.ts';
import type { AuditRequest } from '#audit/run/request.ts';
import { runAudit } from '#audit/run/run.ts';
import type { Severity } from '#audit/check.ts';
import { type Judged, judge, type Waiver } from '#audit/verdict.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { posternVersion } from '../commands/version.ts';
import { AUDIT_EXIT, type ExitStatus } from '../exit.ts';
import { requirePlace, writeWhole } from '../files.ts';
import { harmless } from '../io.ts';
import {
  besideText,
  configurationReport,
  otherConfiguration,
  type ReadConfiguration,
} from './configuration.ts';
import { startCanary } from './canary.ts';
import { choiceOf } from './choice.ts';
import * as read from './options.ts';
import { progressLine } from './progress.ts';
import { ourselves, type Targeted, targeted } from './target.ts';
import { terminalReport } from './terminal.ts';
import { auditWorld } from './world.ts';

type AuditWorld = ReturnType<typeof auditWorld>;

/** Exit status: 0 pass, 1 findings, 2 undecided, 4 refused; 3 (usage) by the program. */
export async function runAuditCommand(context: Context): Promise<ExitStatus> {
  const world = auditWorld(context);
  // Everything that can be wrong with the command line is told before the first connection.
  const failOn = read.failOnOf(context);
  const waivers = read.waiversOf(context);
  const configuration = otherConfiguration(context);
  for (const name of ['output', 'sarif', 'junit', 'html']) requirePlace(option(context, name));
  const report =
    configuration !== undefined && !context.given.has('target')
      ? configurationReport(context, configuration)
      : await withCanary(context, world);
  if (report === undefined) return AUDIT_EXIT.refused;
  const whole =
    configuration === undefined || !context.given.has('target')
      ? report
      : { ...report, findings: [...report.findings, ...configuration.findings] };
  return told(context, whole, configuration, failOn, waivers);
}

/** The run, with our receiver listening as long as it lasts where one was asked for. */
async function withCanary(context: Context, world: AuditWorld): Promise<Report | undefined> {
  const request = await requestOf(context, world);
  const running = await startCanary(context, world);
  try {
    const options = { ...request.options, canary: running?.canary };
    return await performed(context, { ...request, options }, world);
  } finally {
    await running?.close();
  }
}

/** Judges a report and writes it wherever it was asked for. */
function told(
  context: Context,
  report: Report,
  configuration: ReadConfiguration | undefined,
  failOn: Severity,
  waivers: readonly Waiver[],
): ExitStatus {
  const judged = judge(report, failOn, waivers, context.now());
  if (context.json) context.io.write(`${jsonText(report)}\n`);
  else {
    const { options } = context;
    const how = { quiet: options.has('quiet'), all: options.has('all') };
    context.io.write(terminalReport(report, judged, context.io, how));
    if (configuration !== undefined && context.given.has('target')) {
      context.io.write(besideText(configuration, report.findings));
    }
  }
  // Last: what cannot be written is at least shown.
  writeFiles(context, report, judged);
  return AUDIT_EXIT[judged.verdict];
}

/** The report, or undefined after the refusal was told. */
export async function performed(
  context: Context,
  request: AuditRequest,
  world: AuditWorld,
): Promise<Report | undefined> {
  const line = progressLine(context.io, !context.json);
  const result = await runAudit({ ...request, progress: line.show }, world);
  line.clear();
  if (result.kind === 'done') return result.report;
  context.io.warn(`postern: refused: ${harmless(result.why)}.\n`);
  if (context.json) {
    context.io.write(
      `${jsonText({ refused: result.why, target: request.target, findings: [] })}\n`,
    );
  }
  return undefined;
}

async function requestOf(context: Context, world: AuditWorld): Promise<AuditRequest> {
  const choice = choiceOf(context);
  const level = read.levelOf(context);
  const given = read.domainsOf(context);
  const source = read.sourceOf(context);
  const options = {
    source,
    heloName: read.heloOf(context),
    names: read.namesOf(context),
    knownUser: read.knownUserOf(context),
    account: await read.accountOf(context),
    canary: undefined,
    selectors: read.listOf(context, 'selector') ?? [],
  };
  const { places, domains } = await placesOf(context, world);
  return {
    target: targetOf(context),
    places,
    domains: [...new Set([...given, ...domains])],
    level,
    authorisedBy: option(context, 'authorised-by'),
    probes: PROBES,
    ...choice,
    options,
    version: posternVersion(),
  };
}

function targetOf(context: Context): string {
  const target = context.given.get('target');
  if (target !== undefined) return target;
  const file = option(context, 'config');
  const problem =
    file === undefined ? 'there is no target' : `${file} is in no language that is known here`;
  throw read.usage(problem, 'Name host[:port], a domain, self, or --config with its main.cf.');
}

async function placesOf(context: Context, { resolver }: AuditWorld): Promise<Targeted> {
  const target = targetOf(context);
  if (target === 'self') return ourselves(await context.settings());
  return targeted(target, read.portsOf(context), resolver);
}

function writeFiles(context: Context, report: Report, judged: Judged): void {
  const failing = new Set(judged.failing);
  const files = {
    output: () => `${jsonText(report, 1)}\n`,
    sarif: () => sarifText(report),
    junit: () => junitText(report, (finding) => failing.has(finding)),
    html: () => htmlText(report, judged),
  };
  for (const [name, content] of Object.entries(files)) {
    const file = option(context, name);
    if (file !== undefined) writeWhole(file, content());
  }
}
