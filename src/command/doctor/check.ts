/** A check of `postern doctor`: looks at one side of the installation and says what it saw. */

import type { World } from '#base/world.ts';
import type { Directory } from '#store/directory.ts';
import type { QueueReader } from '#store/queue.ts';
import type { Settings } from '../configuration/settings.ts';

/**
 * `good`; `bad`: mail suffers; `could-be-better`: it works, but not as well as it might;
 * `unknown`: could not be told from here, which is never good.
 */
export type Health = 'good' | 'bad' | 'could-be-better' | 'unknown';

export interface Diagnosis {
  /** The file of the check, and what it looked at: `records example.org MX`. */
  readonly about: string;
  readonly health: Health;
  /** One sentence. */
  readonly seen: string;
  /** The exact cure; undefined when there is nothing to do. */
  readonly cure: string | undefined;
}

export interface DoctorGround {
  readonly settings: Settings;
  readonly world: Pick<World, 'clock' | 'network' | 'resolver'>;
  readonly directory: Directory;
  readonly queue: QueueReader;
  /** Public addresses of this machine, or those that the operator named. */
  readonly addresses: readonly string[];
  /** `--reach`: a host outside that port 25 is tried with. */
  readonly reach: { readonly host: string; readonly port: number } | undefined;
  /** `--dnsbl`: zones to ask, beside those of the configuration. */
  readonly lists: readonly string[];
}

export interface DoctorCheck {
  readonly name: string;
  run(ground: DoctorGround): Promise<readonly Diagnosis[]>;
}

export function good(about: string, seen: string): Diagnosis {
  return { about, health: 'good', seen, cure: undefined };
}

export function bad(about: string, seen: string, cure: string): Diagnosis {
  return { about, health: 'bad', seen, cure };
}

export function better(about: string, seen: string, cure: string): Diagnosis {
  return { about, health: 'could-be-better', seen, cure };
}

export function unknown(about: string, seen: string, cure: string): Diagnosis {
  return { about, health: 'unknown', seen, cure };
}
