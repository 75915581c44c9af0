/** `--only` and `--skip` of `postern audit`: which checks are made. */

import { allChecks } from '#audit/catalogue.ts';
import { PROBES } from '#audit/probes/all.ts';
import type { AuditRequest } from '#audit/run/request.ts';
import type { Context } from '../command.ts';
import { listOf, usage } from './options.ts';

export type Choice = Pick<AuditRequest, 'only' | 'skip'>;

/** Each word must be a group or the id of a check; a CommandError for the first that is neither. */
export function choiceOf(context: Context): Choice {
  const known = allChecks(PROBES).map(({ id }) => id);
  const words = (name: keyof Choice): readonly string[] | undefined => {
    const list = listOf(context, name);
    for (const word of list ?? []) {
      if (known.some((id) => id === word || id.startsWith(`${word}.`))) continue;
      throw usage(`--${name}: there is no check "${word}"`, 'See docs/checks.md.');
    }
    return list;
  };
  const [only, skip] = [words('only'), words('skip')];
  return { ...(only && { only }), ...(skip && { skip }) };
}
