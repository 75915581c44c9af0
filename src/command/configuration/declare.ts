/** How a setting is declared: once, as data; reading, checking, explaining and the docs follow. */

import type * as v from 'valibot';

/** What TOML can hold here. */
export type Raw = string | number | boolean | readonly Raw[] | { readonly [key: string]: Raw };

/** A kind of value: how it is written, how it is checked, what it becomes. */
export interface ValueType<T> {
  /** `duration`, `list of networks`. */
  readonly name: string;
  /** How it is written, with an example, for errors and docs. */
  readonly form: string;
  /** From TOML to `T`; its messages are causes that follow the setting's name. */
  readonly schema: v.GenericSchema<unknown, T>;
}

export interface Setting<T> {
  readonly type: ValueType<T>;
  /** Of numbers inside the program and in the docs: `octets`, `milliseconds`, `recipients`. */
  readonly unit?: string;
  /** As it would stand in the file, or where it comes from. */
  readonly default: Raw | Derived;
  /** One sentence. */
  readonly doc: string;
}

/** A default that depends on the machine. */
export interface Derived {
  readonly derived: (facts: DefaultFacts) => Raw;
  /** In words, for the docs. */
  readonly words: string;
}

/** What derived defaults may look at. */
export interface DefaultFacts {
  readonly hostname: string;
  readonly stateDirectory: string;
  /** This host's default gateways, which mynetworks must not trust. */
  readonly gateways: readonly string[];
}

/** A heading of the docs and the settings below it. */
export interface Group<Members extends Readonly<Record<string, Setting<unknown>>>> {
  readonly title: string;
  readonly doc: string;
  readonly settings: Members;
}

/** The values of declared settings, by name. */
export type ValuesOf<Members> = {
  readonly [Name in keyof Members]: Members[Name] extends Setting<infer T> ? T : never;
};

/** Declares a group with the types of its members kept. */
export function group<const Members extends Readonly<Record<string, Setting<unknown>>>>(
  title: string,
  doc: string,
  settings: Members,
): Group<Members> {
  return { title, doc, settings };
}

/** Whether a default is computed. */
export function isDerived(value: Raw | Derived): value is Derived {
  return typeof value === 'object' && !Array.isArray(value) && 'derived' in value;
}
