/** Runs `postern users`: the plan, the questions with a progress bar, and what they showed. */

import { enumerate, type Enumeration, type Progress } from '#audit/users/enumerate.ts';
import { compareTimes, type Timing } from '#audit/users/timing/compare.ts';
import { vantageOf } from '#audit/relay/survey.ts';
import { auditWorld } from '../audit/world.ts';
import type { Context } from '../command.ts';
import { AUDIT_EXIT, type ExitStatus } from '../exit.ts';
import { columns, harmless, type Io, styled } from '../io.ts';
import { bar, statusLine } from '../status-line.ts';
import { usersPlan, type UsersPlan } from './plan.ts';

/** Names that are timed: each costs a hundred connections and more. */
const TIMED = 10;

/** 0 nothing told, 1 names told, 2 undecided, 4 not permitted. */
export async function runUsers(context: Context): Promise<ExitStatus> {
  const plan = await usersPlan(context, auditWorld(context));
  if ('refused' in plan) {
    context.io.warn(`postern: refused: ${harmless(plan.refused)}.\n`);
    if (context.json) context.io.write(`${JSON.stringify({ refused: plan.refused })}\n`);
    return AUDIT_EXIT.refused;
  }
  const results: Enumeration[] = [];
  const timings: Timing[] = [];
  const { names, knownUser, parallel } = plan;
  for (const oracle of plan.oracles) {
    const line = statusLine(context.io);
    const result = await enumerate(oracle, plan.asking, {
      names,
      knownUser,
      ...(parallel === undefined ? {} : { parallel }),
      progress: (progress) => line.show(progressText(oracle.name, progress)),
    });
    line.clear();
    results.push(result);
    if (!context.json) context.io.write(resultText(context.io, result, names.length));
    // Silence to one question is silence to the others: each would take as long.
    if (result.silent) break;
    if (!plan.timing || result.verdict === 'enumerable') continue;
    const timed = names.slice(0, TIMED);
    const compared = await compareTimes(oracle, plan.asking, { names: timed });
    timings.push(...compared.timings);
    if (!context.json) context.io.write(timingText(compared.timings));
  }
  tell(context, plan, results, timings);
  return statusOf(results, timings);
}

function tell(
  context: Context,
  plan: UsersPlan,
  results: readonly Enumeration[],
  timings: readonly Timing[],
): void {
  const source = results[0]?.evidence[0]?.source?.address ?? plan.source;
  const vantage = vantageOf(source, plan.target.address);
  if (!context.json) {
    for (const note of vantage) context.io.warn(`note: ${harmless(note)}\n`);
    return;
  }
  const { target } = plan;
  const { domain } = plan.asking;
  context.io.write(`${JSON.stringify({ target, domain, source, vantage, results, timings })}\n`);
}

function statusOf(results: readonly Enumeration[], timings: readonly Timing[]): ExitStatus {
  const told = results.some(({ verdict }) => verdict === 'enumerable');
  if (told || timings.some(({ verdict }) => verdict === 'differs')) return AUDIT_EXIT.findings;
  const undecided = results.some(
    ({ verdict }) => verdict === 'inconclusive' || verdict === 'none-found',
  );
  return undecided ? AUDIT_EXIT.inconclusive : AUDIT_EXIT.pass;
}

function resultText(io: Io, result: Enumeration, total: number): string {
  const { method, verdict, why, found, unclear, unasked, probes, connections, pace, ms } = result;
  const style = verdict === 'enumerable' ? 'red' : verdict === 'inconclusive' ? 'yellow' : 'green';
  const rows = found.map(({ name, answer, times }) => [
    `  ${harmless(name, 128)}`,
    `${times}x ${harmless(answer, 160)}`,
  ]);
  const rate = Math.round((total / Math.max(1, ms)) * 1_000);
  const limits = [
    pace.tarpitAt === undefined ? '' : `, held back from error ${pace.tarpitAt} on`,
    pace.limitAt === undefined ? '' : `, cut off at error ${pace.limitAt}`,
  ].join('');
  const notes = [
    unclear.length === 0
      ? ''
      : `  ${unclear.length} unclear: ${list(unclear.map((one) => one.name))}\n`,
    unasked.length === 0 ? '' : `  ${unasked.length} not asked: ${list(unasked)}\n`,
  ].join('');
  return (
    `${styled(io, style, `${method}: ${verdict}`)}: ${harmless(why, 400)}\n` +
    columns(rows) +
    notes +
    `  ${total} names, ${probes} questions, ${connections} connections, ` +
    `${(ms / 1_000).toFixed(1)} s (${rate} names a second${limits})\n`
  );
}

function timingText(timings: readonly Timing[]): string {
  return columns(
    timings.map(({ name, verdict, shiftMs, scatterMs, probability }) => [
      `  ${harmless(name, 128)}`,
      `time ${verdict}`,
      `${shiftMs.toFixed(2)} ms (scatter ${scatterMs.toFixed(2)} ms, p ${probability.toPrecision(2)})`,
    ]),
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => harmless(name, 64));
  return `${shown.join(', ')}${names.length > 10 ? ', ...' : ''}`;
}

function progressText(method: string, { done, total, found, connections }: Progress): string {
  return `${method} ${bar(done / total)} ${done}/${total}, ${found} stand out, ${connections} connections`;
}
