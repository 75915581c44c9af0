/** Cures for forged senders that the configuration goes without, which nothing else would say. */

import { better, type Diagnosis, type DoctorCheck, good } from '../check.ts';

/** What the list of port 25 does by default, and what it means that it is not there. */
const WANTED = [
  ['smtpd_sender_restrictions', 'reject_sender_login_mismatch', 'may write as users of ours'],
  ['smtpd_data_restrictions', 'reject_dmarc', 'may write as domains that want that refused'],
  ['smtpd_data_restrictions', 'quarantine_dmarc', 'may write as domains that distrust it'],
] as const;

export const restrictions: DoctorCheck = {
  name: 'restrictions',
  run: ({ settings }) => {
    if (settings.smtp_listen.length === 0) {
      return Promise.resolve([good('restrictions', 'strangers do not come here: no smtp_listen')]);
    }
    const found: Diagnosis[] = WANTED.flatMap(([list, name, what]) => {
      if (settings[list].includes(name)) return [];
      const seen = `${list} goes without ${name}: strangers on port 25 ${what}`;
      const cure = `Add it to ${list}, unless something in front of this server does the same.`;
      return [better(`restrictions ${name}`, seen, cure)];
    });
    if (!settings.verify_senders) {
      const seen = "strangers' mail is not checked by SPF, DKIM, ARC and DMARC";
      found.push(better('restrictions verify_senders', seen, 'Set verify_senders = true.'));
    }
    const none = good('restrictions', "strangers' senders are checked");
    return Promise.resolve(found.length > 0 ? found : [none]);
  },
};
