/** The one shape of every command: what it is called, what it takes, and what it does. */

import type { Store } from '#store/store.ts';
import type { Settings } from './configuration/settings.ts';
import type { ExitStatus } from './exit.ts';
import type { Io } from './io.ts';

/** A command, or a group of them (`commands` instead of `run`). Its file must load quickly. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More words for its own help page. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly string[];
  /** With `run` beside it, a first word that is none of these is an argument of `run`. */
  readonly commands?: readonly Command[];
  /** Instead of `EXIT.usage`, for this command and those below it. */
  readonly usageStatus?: ExitStatus;
  /** Heavy modules are imported inside, so that `postern version` never pays for them. */
  readonly run?: (context: Context) => Promise<ExitStatus | void>;
}

export interface ArgumentSpec {
  /** `address`, `targets`. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that follow. */
  readonly many?: boolean;
}

export interface OptionSpec {
  /** As commander writes it: `--data <dir>`, `--generate`, `-n, --limit <count>`. */
  readonly flags: string;
  readonly summary: string;
}

/** What a run of a command is given. */
export interface Context {
  readonly io: Io;
  /** `--json`: standard output is one JSON value (or one a line) and nothing else. */
  readonly json: boolean;
  /** Arguments by name; a `many` argument is joined in `rest`. */
  readonly given: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
  /** Options by long name without dashes (`password-stdin`): text, or true for a switch. */
  readonly options: ReadonlyMap<string, string | true>;
  /** Milliseconds since 1970. */
  now(): number;
  /** The file in force; undefined in demo mode. */
  configurationFile(): Promise<string | undefined>;
  /** The data directory in force. */
  dataDirectory(): Promise<string>;
  /** The configuration in force (`--config`, POSTERN_CONFIG, the default file, else demo). */
  settings(): Promise<Settings>;
  /** Opens the store in the data directory in force; `withStore` closes it again. */
  openStore(): Promise<Store>;
}

/** The argument `name`, which the command line cannot leave out. */
export function argument(context: Context, name: string): string {
  const value = context.given.get(name);
  if (value === undefined) throw new Error(`invariant broken: argument ${name} was not given`);
  return value;
}

/** The text of an option; undefined when it was not given. */
export function option(context: Context, name: string): string | undefined {
  const value = context.options.get(name);
  return value === true ? undefined : value;
}

/** Runs `task` with the store open and closes it whatever happens. */
export async function withStore<T>(
  context: Context,
  task: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await context.openStore();
  try {
    return await task(store);
  } finally {
    await store.close();
  }
}

/** Prints one value: as JSON with `--json`, else as `text` says. */
export function answer(context: Context, value: unknown, text: () => string): void {
  context.io.write(context.json ? `${JSON.stringify(value)}\n` : text());
}
