/** `postern serve`: the server itself; without a configuration, the demo. */

import type { Command } from '../command.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'run the mail server; without a configuration, a demo on loopback',
  details:
    'Run the mail server until SIGTERM or SIGINT. SIGHUP reads certificates again. Without a ' +
    'configuration it is a demo: domain demo.test, accounts with random passwords, loopback ' +
    'only, and nothing leaves the machine.',
  options: [
    { flags: '--demo', summary: 'run the demo even where there is a configuration' },
    { flags: '--ready-file <file>', summary: 'write what is there as JSON when it is ready' },
  ],
  examples: ['postern serve', 'postern serve --config /etc/postern/postern.toml'],
  run: async (context) => {
    const { runServer } = await import('../serve/serve.ts');
    return runServer(context);
  },
};
