/** What is there now or later, without a promise where none is needed. */

import type { Awaitable } from './brand.ts';

/** `go` of the value: at once where it is there, else when it comes. */
export function after<T, U>(value: Awaitable<T>, go: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(go) : go(value);
}
