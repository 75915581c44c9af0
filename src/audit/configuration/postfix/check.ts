/** What the rules about main.cf are made of. */

import { checksFor, type Rule } from '../rule.ts';
import type { Values } from './values.ts';

export type PostfixRule = Rule<Values>;

export const check = checksFor('postfix');

/** A switch that is off (or on) where it should be the other way. */
export function whenSwitch(parameter: string, weak: boolean): PostfixRule['judge'] {
  const word = weak ? 'yes' : 'no';
  return (values) =>
    values.yes(parameter) === weak
      ? {
          parameter,
          seen: `${parameter} is ${word}${values.given(parameter) ? '' : ' by default'}`,
        }
      : undefined;
}
