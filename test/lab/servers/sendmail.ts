/** sendmail with Debian's m4 files; the profile's lines are m4 too. */

import { DOMAIN, HOST } from '../root.ts';
import type { Server } from '../server.ts';

export const sendmail: Server = {
  layer: 'sendmail',
  async write(root, { address, settings }) {
    root.write(
      '/etc/mail/lab.mc',
      `define(\`_USE_ETC_MAIL_')dnl
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
undefine(\`confHOST_STATUS_DIRECTORY')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confDOMAIN_NAME', \`${HOST}')dnl
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/service.switch')dnl
FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MTA, Port=25, Addr=${address}')dnl
FEATURE(\`use_cw_file')dnl
FEATURE(\`access_db', \`hash -T<TMPF> -o /etc/mail/access')dnl
${settings}
MAILER_DEFINITIONS
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`,
    );
    root.write('/etc/mail/local-host-names', `${DOMAIN}\n${HOST}\n`);
    root.write('/etc/mail/service.switch', 'hosts dns files\naliases files\npasswd files\n');
    root.write('/etc/mail/aliases', 'postmaster: root\n');
    root.write('/etc/mail/access', root.read('/etc/mail/lab.access'));
    // Warnings of open relays go to its standard error.
    const made = await root.run('sh', '-c', 'm4 /etc/mail/lab.mc 2>/dev/null');
    // As root throughout: nothing here has an account of its own to fall back to.
    root.write('/etc/mail/sendmail.cf', made.output.replace(/^O RunAsUser=.*$/m, ''));
    await root.run('sh', '-c', 'cd /etc/mail && makemap hash access < access && newaliases');
    return undefined;
  },
  start(root) {
    root.start('sendmail', '-bD', '-q1m');
    return Promise.resolve();
  },
  async check(root) {
    const made = await root.run('sh', '-c', 'm4 /etc/mail/lab.mc 2>&1 >/dev/null');
    const verified = await root.attempt('sendmail', ['-bv', `alice@${DOMAIN}`]);
    const said = [made, verified].flatMap(({ output }) => output.split('\n'));
    return said.filter((line) => line !== '' && !line.includes('... deliverable: '));
  },
};
