/** The letters of the test internet to a Postern of ours, with a DNS that knows all their domains. */

import { HOME, Target } from '../stranger.ts';
import { INBOUND } from './inbound.ts';
import type { InboundScene } from './letters.ts';

const AT_A_TIME = 6;

/** All letters were sent and answered when it has started. */
export class Inside {
  /** The last answer to each domain's letter. */
  readonly said = new Map<string, string>();
  readonly #target: Target;
  readonly #boxes = new Map<'INBOX' | 'Junk', string>();
  #stories: readonly string[] = [];

  private constructor(target: Target) {
    this.#target = target;
  }

  /** `settings`: TOML, where a server is to be tried that is not as it should be. */
  static async start(settings = ''): Promise<Inside> {
    const scenes = new Map<string, InboundScene>();
    for (const { name, scene, control } of INBOUND) {
      scenes.set(`${name}.test`, scene(`${name}.test`));
      scenes.set(`${name}-c.test`, control.scene(`${name}-c.test`));
    }
    const zones = [...scenes.values()].map(({ zone }) => zone);
    const inside = new Inside(await Target.start(Object.assign({}, ...zones), settings));
    try {
      await inside.#send(scenes);
      await inside.#look();
    } catch (thrown) {
      await inside.stop();
      throw thrown;
    }
    return inside;
  }

  /** Where a domain's letter is. */
  endOf(domain: string): string {
    if (this.said.get(domain)?.startsWith('2') !== true) return 'refused';
    const found = [...this.#boxes].filter(([, text]) => text.includes(`<1@${domain}>`));
    return found.map(([name]) => name).join(' and ') || 'lost';
  }

  /** What the ledger says of it, as JSON. */
  storyOf(domain: string): string {
    const mentions = [`@${domain}"`, `@${domain}>`, `@out.${domain}"`, `@evil-${domain}"`];
    const own = this.#stories.filter((line) => mentions.some((one) => line.includes(one)));
    return own.join('\n');
  }

  /** What would go to somebody else. */
  async queue(): Promise<string> {
    return (await this.#target.command('queue', 'list')).output;
  }

  stop(): Promise<void> {
    return this.#target.stop();
  }

  async #send(scenes: ReadonlyMap<string, InboundScene>): Promise<void> {
    const waiting = [...scenes];
    const workers = Array.from({ length: AT_A_TIME }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        this.said.set(next[0], await send(this.#target, ...next));
      }
    });
    await Promise.all(workers);
  }

  async #look(): Promise<void> {
    const keys = [`ann@${HOME}`, `nobody@${HOME}`];
    const stories = await Promise.all(keys.map((key) => this.#target.trace(key, '--json')));
    this.#stories = stories.flatMap((story) => story.split('\n'));
    for (const name of ['INBOX', 'Junk'] as const) {
      this.#boxes.set(name, await this.#target.mailbox('ann', name));
    }
  }
}

function send(target: Target, domain: string, scene: InboundScene): Promise<string> {
  const { ip = '192.0.2.10', sender = `joe@${domain}`, message, recipient } = scene;
  return target.deliver({
    ip,
    helo: `mx.${domain}`,
    sender,
    message,
    ...(recipient === undefined ? {} : { recipient }),
  });
}
