/** All settings in one table, and the type of their values. */

import type { Setting, ValuesOf } from './declare.ts';
import * as groups from './settings/index.ts';

/** Every setting's value under its name in the file: durations in ms, sizes in octets. */
export type Settings = ValuesOf<
  (typeof groups.identity)['settings'] &
    (typeof groups.listeners)['settings'] &
    (typeof groups.certificates)['settings'] &
    (typeof groups.access)['settings'] &
    (typeof groups.limits)['settings'] &
    (typeof groups.abuse)['settings'] &
    (typeof groups.routes)['settings'] &
    (typeof groups.outbound)['settings'] &
    (typeof groups.protection)['settings'] &
    (typeof groups.publication)['settings'] &
    (typeof groups.queue)['settings'] &
    (typeof groups.names)['settings'] &
    (typeof groups.storage)['settings'] &
    (typeof groups.observation)['settings']
>;

export type SettingName = keyof Settings;

/** The groups in the order of the documentation (module namespaces sort by name). */
export const GROUPS = [
  groups.identity,
  groups.listeners,
  groups.certificates,
  groups.access,
  groups.limits,
  groups.abuse,
  groups.routes,
  groups.outbound,
  groups.protection,
  groups.publication,
  groups.queue,
  groups.names,
  groups.storage,
  groups.observation,
] as const;

/** Each setting by its name. */
export const SETTINGS: ReadonlyMap<string, Setting<unknown>> = new Map(
  GROUPS.flatMap((group) => Object.entries(group.settings)),
);
