/** What the lab needs to know of a server program: how it is set up for a profile, and started. */

import type { Root } from './root.ts';

export interface ServerPlan {
  /** Of the lab's own network, all its ports are the server's. */
  readonly address: string;
  /** Lines of the server's own configuration, from the profile. */
  readonly settings: string;
  /** More listeners, in the server's own words (Postfix: master.cf). */
  readonly services: string;
}

export interface Server {
  /** Layer of install.sh; undefined: it runs without one. */
  readonly layer: string;
  /** Writes the configuration; the path of a file for `--config`, if there is one. */
  write(root: Root, plan: ServerPlan): Promise<string | undefined>;
  /** Starts it with what was written. */
  start(root: Root): Promise<void>;
  /** What the program itself says against what was written; nothing when it takes it. */
  check?(root: Root): Promise<readonly string[]>;
}
