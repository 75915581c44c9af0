/** `postern audit`: the attacker, harmless by default, at a server, a domain, or ourselves. */

import type { Command } from '../command.ts';
import { AUDIT_EXIT } from '../exit.ts';

const REPORTS = [
  { flags: '--sarif <file>', summary: 'write the findings as SARIF 2.1.0' },
  { flags: '--junit <file>', summary: 'write the findings as JUnit XML' },
  { flags: '--html <file>', summary: 'write one HTML page for people' },
  { flags: '--output <file>', summary: 'write the report as JSON, for replay and compare' },
  {
    flags: '--fail-on <severity>',
    summary: 'fail from this severity on: info, low, medium, high (default), critical',
  },
  { flags: '--baseline <file>', summary: 'TOML with [[waiver]] id, target, until, reason' },
  { flags: '--quiet', summary: 'the short report alone' },
  { flags: '--all', summary: 'also what was tested and not found' },
] as const;

const ACCESS = [
  { flags: '--authorised-by <who>', summary: '"name, reference": for targets that are not ours' },
  { flags: '--source <address>', summary: 'connect from this address of this machine' },
  { flags: '--account <login>', summary: 'an account that tests may log in with' },
  { flags: '--password-file <file>', summary: 'its password, first line (or POSTERN_PASSWORD)' },
  { flags: '--resolver <address>', summary: 'ask this name server instead of the system one' },
] as const;

export const audit: Command = {
  name: 'audit',
  summary: 'attack a mail server, harmlessly by default, and report what is weak',
  details:
    'The target is host, host:port, a domain (its MX hosts) or self. Levels: passive only ' +
    'listens, safe (default) sends no mail (a test of content has 120 hops, for which it is ' +
    'refused; who counts none gets one, for postmaster), active sends test mail to nobody ' +
    '(.invalid, .test, .example), to its postmaster or the canary, intrusive may exhaust limits. Targets that are neither loopback ' +
    'nor private need --authorised-by, or TXT "v=mailaudit1; level=active" at ' +
    '_mailaudit.<host>. Exit status: 0 pass, 1 findings, 2 undecided, 3 usage, 4 refused by policy.',
  usageStatus: AUDIT_EXIT.usage,
  arguments: [{ name: 'target', summary: 'host[:port], a domain, or self', optional: true }],
  options: [
    { flags: '--level <level>', summary: 'passive, safe (default), active or intrusive' },
    { flags: '--only <checks>', summary: 'ids or groups, separated by commas' },
    { flags: '--skip <checks>', summary: 'ids or groups to leave out' },
    { flags: '--ports <numbers>', summary: 'look at these ports instead of the usual ones' },
    { flags: '--domain <domains>', summary: 'domains whose mail the target receives' },
    { flags: '--names <file>', summary: 'names to try where users can be enumerated' },
    { flags: '--known-user <address>', summary: 'a mailbox that exists, as a control' },
    { flags: '--selector <names>', summary: 'DKIM selectors of the domain' },
    {
      flags: '--canary <place>',
      summary: 'domain=address:port: start a receiver there for test mail',
    },
    { flags: '--helo <name>', summary: 'our name in EHLO (default audit.invalid)' },
    ...ACCESS,
    ...REPORTS,
  ],
  examples: [
    'postern audit self',
    'postern audit --config /etc/postfix/main.cf',
    'postern audit mail.example.org --authorised-by "Jane Doe, ticket 12" --html report.html',
    'postern audit 127.0.0.1:1025 --level active --domain demo.test --json',
  ],
  commands: [
    {
      name: 'replay',
      summary: 'ask again what a saved report found, and tell what differs',
      arguments: [
        { name: 'file', summary: 'a report that --json or --output wrote' },
        {
          name: 'checks',
          summary: 'ids or groups; all that was found if none',
          many: true,
          optional: true,
        },
      ],
      options: [...ACCESS],
      run: async (context) => {
        const { runReplay } = await import('../audit/replay.ts');
        return runReplay(context);
      },
    },
    {
      name: 'compare',
      summary: 'tell what is new, cured and unchanged between two saved reports',
      arguments: [
        { name: 'before', summary: 'the older report' },
        { name: 'after', summary: 'the newer report' },
      ],
      run: async (context) => {
        const { runCompare } = await import('../audit/compare.ts');
        return runCompare(context);
      },
    },
    {
      name: 'checks',
      summary: 'print the page of all checks (docs/checks.md)',
      run: async (context) => {
        const { checksPage } = await import('#audit/catalogue.ts');
        const { PROBES } = await import('#audit/probes/all.ts');
        context.io.write(checksPage(PROBES));
      },
    },
  ],
  run: async (context) => {
    const { runAuditCommand } = await import('../audit/run.ts');
    return runAuditCommand(context);
  },
};
